// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The last look at free blocks, when the process ends: what has been written to after its release may never be given out again, and nobody
// else would find it. The lists of blocks at hand end with what has been free for longest, which may stay there for ever.

enum ExitCheck {
  /// Bytes of free blocks in spans that are looked at, so that a process with a large heap ends as fast as others: some milliseconds.
  private static var most: Int { @_noLocks get { 32 << 20 } }

  /// Looks at what the calling thread has at hand, at what heaps keep for the next thread, and at what is in spans.
  @_noLocks
  static func run() {
    guard nest_hardening() & UInt32(NEST_CLEARS) != 0 else { return }
    Quarantine.current?.check()
    let cache = ThreadCache.current
    if !cache.isNone {
      var index = 1
      while index <= SizeClass.last {
        check(cache.bin(index).first, index)
        check(cache.reserves[index].first, index)
        index += 1
      }
    }
    var number = 1
    while number <= Heaps.last {
      Heaps.heap(number).checkLists()
      number += 1
    }
    checkSpans()
  }

  /// Dies where one of the free blocks of a list has been written to.
  @_noLocks
  static func check(_ list: FreeBlock, _ index: Int) {
    var block = list
    while !block.isNone {
      block.checkSignature()
      check(block: block, index)
      block = block.next
    }
  }

  @_noLocks
  static func check(block: FreeBlock, _ index: Int) {
    let size = SizeClass.blockSize(index)
    let zeroBytes = Hardening.zeroBytes(of: size)
    if zeroBytes > 16, nest_is_clear(block.pointer + 16, zeroBytes - 16) == 0 {
      BlockMisuse.dieOfWrittenBytes(block.pointer, size)
    }
  }

  private static func checkSpans() {
    // A signal handler that ends the process may have interrupted who holds a lock: then that part is left out.
    guard PageHeap.tryBeginWalk() else { return }
    var left = most
    var next = AddressMap.nextChunk(0)
    while let chunk = next, left > 0 {
      var number = 1
      while number <= Heaps.last {
        Heaps.heap(number).checkFreeBlocks(chunk, &left)
        number += 1
      }
      next = AddressMap.nextChunk(chunk.end)
    }
    PageHeap.endWalk()
  }
}

extension ProcessorHeap {
  /// Dies where a block of the lists that are kept has been written to. Does nothing while somebody has the lock.
  @_noLocks
  func checkLists() {
    guard lock.tryLock() else { return }
    transfer.forEachList { index, first, _ in ExitCheck.check(FreeBlock(first), index) }
    lock.unlock()
  }

  /// Dies where a free block in a span of this heap's, in a chunk, has been written to. Does nothing while somebody has the lock. Subtracts the
  /// bytes from `left`, and ends when there are none.
  @_noLocks
  func checkFreeBlocks(_ chunk: Chunk, _ left: inout Int) {
    guard lock.tryLock() else { return }
    initialize()
    collectRemoteFrees()
    var page = Chunk.firstPage
    while page < chunk.mappedCount, left > 0 {
      let span = chunk.span(page: page)
      page += 1
      // The owner is this heap only where this lock guards the rest.
      guard span.owner == number else { continue }
      page += Int(span.record.pointee.pageCount) - 1
      left -= span.freeCount * span.blockSize
      span.checkClear()
    }
    unlock()
  }
}

@_noLocks
@_cdecl("nest_check_at_exit")
func checkAtExit() { ExitCheck.run() }

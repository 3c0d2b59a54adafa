// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// The helper looks at some blocks each time that it looks at all: what has been written to after its release, and what is overwritten behind a
// block, is found also if the block is never given out again, or released.
//
// Free blocks in a span are under its heap's lock, and are checked as whoever takes them does. All others are with a thread,
// which takes and releases them without a lock, and may be stopped anywhere for any time: by a debugger, by a page fault, by who has more right to
// the processor. So what is looked for must not be there at any moment in which nothing is wrong:
//
//     the second word is    the block is             and must have
//     a signature           free                     zeros behind its link
//     a mark                on its way               nothing
//     anything else         live                     a tail, and `left` 0 in it while it is resized
//
// The order of these writes is what ``FreeBlock/mark()`` is for. The tail of a block of less than 16 bytes lies in the second word, and cannot be
// written at once with it: such a block is not told where it looks like one that has no tail yet; in the class of 16 bytes, never.
//
// What remains is that the words of a block are read one after the other, while a thread uses it again and again. So what looks wrong is
// looked at 64 times more, a millisecond apart, and has to look wrong each time. The second word is read before the others
// and after them. If nothing is wrong, one of these fails at six looks of seven at least, however fast the thread is.
//
// Not in a child that fork has made: another thread of its parent's may have been in the midst, and is no more.

enum BackgroundWalk {
  private struct Position: ~Copyable {
    var chunk: UInt
    var page: Int
    /// 1 while somebody looks.
    let isBusy: Atomic<UInt32>
  }

  private enum Finding {
    case nothing, writtenBytes, writtenSignature, overflow
  }

  /// Blocks that one look goes over: a millisecond at most.
  private static var blocks: Int { @_noLocks get { 16384 } }
  /// Pages in which no span begins count, too.
  private static var pages: Int { @_noLocks get { 16384 } }
  /// How often a block has to look wrong besides.
  private static var times: Int { @_noLocks get { 64 } }

  private static var position: UnsafeMutablePointer<Position> {
    @_noLocks get { nest_background_walk().assumingMemoryBound(to: Position.self) }
  }

  /// Whether this process has blocks looked at.
  static var isOn: Bool {
    @_noLocks get { nest_hardening() & UInt32(NEST_WALKS) != 0 && nest_process_number() == 0 }
  }

  /// Looks at the next blocks, or dies.
  @_noLocks
  static func look() {
    guard isOn, position.pointee.isBusy.exchange(1, ordering: .acquiring) == 0 else { return }
    PageHeap.beginWalk()
    var (blocks, pages) = (blocks, pages)
    while blocks > 0, pages > 0 {
      guard let chunk = AddressMap.nextChunk(position.pointee.chunk) else {
        position.pointee.chunk = 0
        position.pointee.page = 0
        break
      }
      let base = UInt(bitPattern: chunk.base)
      if position.pointee.chunk != base || position.pointee.page < Chunk.firstPage {
        position.pointee.chunk = base
        position.pointee.page = Chunk.firstPage
      }
      while position.pointee.page < chunk.mappedCount, blocks > 0, pages > 0 {
        let span = chunk.span(page: position.pointee.page)
        position.pointee.page += 1
        pages -= 1
        let owner = span.owner
        if owner != 0 { check(span, owner, &blocks) }
      }
      if position.pointee.page >= chunk.mappedCount {
        position.pointee.chunk = chunk.end
        position.pointee.page = 0
      }
    }
    PageHeap.endWalk()
    position.pointee.isBusy.store(0, ordering: .releasing)
  }

  /// Looks at the blocks of a span that belonged to heap `owner` a moment ago.
  @_noLocks
  private static func check(_ span: Span, _ owner: Int, _ left: inout Int) {
    let lock = Heaps.heap(owner).lock
    lock.lock()
    guard span.owner == owner, span.hasBlocks else { return lock.unlock() }
    ExitCheck.check(span.record.pointee.free, span.sizeClass)
    let count = Int(span.record.pointee.carved)
    left -= count
    position.pointee.page += Int(span.record.pointee.pageCount) - 1
    var (index, found, finding) = (0, -1, Finding.nothing)
    while index < count, found < 0 {
      finding = look(at: index, of: span)
      if finding != .nothing { found = index }
      index += 1
    }
    lock.unlock()
    if found >= 0 { confirm(finding, block: found, of: span, owner) }
  }

  /// Dies if a block looks wrong whenever one looks.
  @inline(never) @_noLocks
  private static func confirm(_ finding: Finding, block index: Int, of span: Span, _ owner: Int) {
    let (lock, sizeClass) = (Heaps.heap(owner).lock, span.sizeClass)
    var time = 0
    while time < times {
      nest_helper_sleep(1)
      lock.lock()
      let isSame =
        span.owner == owner && span.hasBlocks && span.sizeClass == sizeClass && index < Int(span.record.pointee.carved)
        && look(at: index, of: span) == finding
      lock.unlock()
      if !isSame { return }
      time += 1
    }
    let size = SizeClass.blockSize(sizeClass)
    let block = span.start + index * size
    switch finding {
    case .nothing: break
    case .writtenBytes: BlockMisuse.dieOfWrittenBytes(block, size)
    case .writtenSignature: Misuse.writtenAfterFree.die(UInt(bitPattern: block))
    case .overflow: BlockMisuse.dieOfOverflow(block, size)
    }
  }

  /// What a block looks like. Under the lock of the heap.
  @_noLocks
  private static func look(at index: Int, of span: Span) -> Finding {
    if span.record.pointee.purgedPages != 0, span.isPurged(block: index) { return .nothing }
    let size = span.blockSize
    let block = span.start + index * size
    let (address, word) = (UInt(bitPattern: block), nest_peek(block + 8))
    if FreeBlock.isMark(word, of: address) { return .nothing }
    atomicMemoryFence(ordering: .acquiring)
    let finding = BlockWalk.isSignature(word, of: address) ? lookAtFree(block, size) : lookAtLive(block, size)
    if finding == .nothing { return .nothing }
    atomicMemoryFence(ordering: .acquiring)
    return nest_peek(block + 8) == word ? finding : .nothing
  }

  @_noLocks
  private static func lookAtFree(_ block: UnsafeMutableRawPointer, _ size: Int) -> Finding {
    let zeroBytes = Hardening.zeroBytes(of: size)
    return zeroBytes > 16 && nest_is_clear(block + 16, zeroBytes - 16) == 0 ? .writtenBytes : .nothing
  }

  @_noLocks
  private static func lookAtLive(_ block: UnsafeMutableRawPointer, _ size: Int) -> Finding {
    if nest_hardening() & UInt32(NEST_FILLS) == 0 || size <= 16 { return .nothing }
    let tail = BlockTail(block, size)
    if tail.read() != nil || tail.isBeingWritten { return .nothing }
    // A live block has a tail, and a free one of which the second word is not a signature any more has zeros there.
    let zeroBytes = Hardening.zeroBytes(of: size)
    let isCleared = zeroBytes >= size && nest_is_clear(block + 16, size - 16) != 0
    if size == 32, isCleared { return .nothing }
    return isCleared ? .writtenSignature : .overflow
  }
}

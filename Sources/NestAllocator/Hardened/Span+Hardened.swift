// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

extension Span {
  /// Makes the free list of `count` blocks that have just been carved, from block `first` on: in random order, and of zeros where the
  /// process wants these.
  @inline(never) @_noLocks
  func linkHardened(_ first: Int, _ count: Int) {
    let (size, base) = (blockSize, start + first * blockSize)
    let bits = nest_hardening()
    let zeroBytes = Hardening.zeroBytes(of: size)
    // Safety: a page, and what it begins, has 257 blocks at most.
    var order = nest_order()
    withUnsafeMutablePointer(to: &order) { pointer in
      let places = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt16.self)
      if bits & UInt32(NEST_SHUFFLES) != 0 {
        nest_shuffle(places, count)
      } else {
        var place = 0
        while place < count {
          places[place] = UInt16(truncatingIfNeeded: count - 1 - place)
          place += 1
        }
      }
      var (next, place) = (FreeBlock.none, 0)
      while place < count {
        let block = FreeBlock(base + Int(places[place]) * size)
        if zeroBytes > 16 { nest_clear(block.pointer + 16, zeroBytes - 16) }
        block.link(to: next)
        next = block
        place += 1
      }
      record.pointee.free = next
    }
  }

  /// Dies where a free block has been written to. Before the pages of an empty span serve something else.
  @inline(never) @_noLocks
  func checkClear() { ExitCheck.check(record.pointee.free, sizeClass) }
}

extension ThreadCache {
  /// Adds blocks of other spans to those that have just been taken, and makes their order random: of those of 4 to 8 KiB, of which a span has
  /// two or three.
  @inline(never) @_noLocks
  func addChoice(_ index: Int, _ first: inout FreeBlock, _ count: inout Int) {
    let (size, wanted) = (SizeClass.blockSize(index), 12)
    if size <= Chunk.pageSize || size > SizeClass.largestInTable { return }
    while count < wanted, let (next, more, _) = Heaps.take(index, most: wanted - count, from: state.pointee.heap) {
      var block = next
      while !block.isNone {
        let after = block.next
        block.checkSignature()
        block.link(to: first)
        first = block
        block = after
      }
      count += more
    }
    shuffle(&first, count)
  }

  private func shuffle(_ first: inout FreeBlock, _ count: Int) {
    // Each block in turn takes a place by chance among those that are in order already.
    var (rest, ordered, length) = (first, FreeBlock.none, 0)
    while length < count {
      let block = rest
      block.checkSignature()
      rest = block.next
      var place = Int(nest_random_below(UInt64(length + 1)))
      length += 1
      if place == 0 {
        block.link(to: ordered)
        ordered = block
        continue
      }
      var before = ordered
      while place > 1 {
        before = before.next
        place -= 1
      }
      block.link(to: before.next)
      before.link(to: block)
    }
    first = ordered
  }
}

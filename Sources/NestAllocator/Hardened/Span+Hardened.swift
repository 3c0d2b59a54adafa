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

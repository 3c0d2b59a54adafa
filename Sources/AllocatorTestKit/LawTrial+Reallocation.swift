// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

// Laws of the two reallocations, and of `oldSize`.
extension LawTrial {
  func checkReallocateKeepsContents() throws {
    let sizes = [0, 1, 7, 16, 24, 40, 100, 127, 128, 500, 1000, 2048, 4095, 4096, 5000, 40_000, 131_073, 1 << 20]
    let all = (sizes + [limits.largestSize]).filter { $0 <= limits.largestSize }
    for align in [8, 16, 64] {
      for from in all {
        for to in all where align == 16 || max(from, to) <= 200_000 {
          var block = try allocateFilled(size: from, align: align)
          // In the way of a block that would grow into the free space behind it.
          let neighbour = try allocateFilled(size: from, align: align)
          try reallocate(&block, size: to)
          try expectContents(block, "after reallocate from size \(from) to \(to)")
          fill(&block, count: to)
          try expectContents(neighbour, "after its neighbour was reallocated")
          deallocate(neighbour)
          deallocate(block)
        }
      }
    }
    // Growing bit by bit, as buffers do, and shrinking again.
    var block = try allocateFilled(size: 1, align: 16)
    while block.size < limits.largestSize / 2 {
      let size = block.size + block.size / 2 + 1
      try reallocate(&block, size: size)
      try expectContents(block, "after reallocate to size \(size)")
      fill(&block, count: size)
    }
    while block.size > 1 {
      let size = block.size * 2 / 3
      try reallocate(&block, size: size)
      try expectContents(block, "after reallocate to size \(size)")
    }
    deallocate(block)
  }

  func checkReallocateKeepsAlignment() throws {
    var align = 1
    while align <= min(limits.largestAlignment, 1 << 21) {
      var blocks: [TestBlock] = []
      for _ in 0..<(align <= 4096 ? 8 : 2) {
        blocks.append(try allocate(size: 1 + random.below(200), align: align))
        blocks.append(try allocate(size: 24, align: 8))
      }
      for size in [300, 24, 1000, 7, 5000, 0, 50_000, 100, 300_000, 20] where size <= limits.largestSize {
        for index in blocks.indices {
          let old = blocks[index].size
          try reallocate(&blocks[index], size: size)
          try expectAligned(
            blocks[index].pointer, blocks[index].align,
            "reallocate(oldSize: \(old), size: \(size), align: \(blocks[index].align))")
        }
      }
      for block in blocks { deallocate(block) }
      align *= 2
    }
  }

  /// Blocks of one size with their neighbours, and sizes to try on each.
  private func forEachInPlaceCase(_ body: (inout [TestBlock], _ index: Int, _ size: Int) throws -> Void) throws {
    for from in [24, 1, 100, 500, 1000, 4096, 5000, 20_000, 140_000, 0] where from <= limits.largestSize / 8 {
      for align in [8, 16, 64, 4096] {
        let targets = [
          from + 1, from + 7, from + 16, from + from / 8, from + from / 2, 2 * from, 10 * from + 100,
          from, from - 1, from - from / 8, from / 2, from / 10, 1, 0,
        ]
        for target in targets where target >= 0 {
          var blocks: [TestBlock] = []
          for _ in 0..<6 { blocks.append(try allocateFilled(size: from, align: align)) }
          // One with free space behind it, and one without.
          deallocate(blocks.remove(at: 3))
          try body(&blocks, 2, target)
          try body(&blocks, 0, target)
          for block in blocks { deallocate(block) }
        }
      }
    }
  }

  func checkInPlaceNeverMoves() throws {
    try forEachInPlaceCase { blocks, index, size in
      let from = blocks[index].size
      reallocateInPlace(&blocks[index], size: size)
      let call = "after reallocateInPlace from size \(from) to \(size)"
      var kept = blocks[index]
      kept.filled = min(from, size)
      kept.size = kept.filled
      // A block that has nothing left has no place to keep.
      if kept.size > 0 { try expectStillOwned(kept, call) }
      try expectContents(blocks.indices.filter { $0 != index }.map { blocks[$0] }, "\(call) of another block")
    }
  }

  func checkInPlaceTellsTruth() throws {
    try forEachInPlaceCase { blocks, index, size in
      let old = blocks[index]
      let result = reallocateInPlace(&blocks[index], size: size)
      let call = "reallocateInPlace of \(old.name) to size \(size) returned \(result)"
      if size > old.size {
        try expect(
          result >= size || result == old.usable,
          "\(call): neither at least \(size) nor the old usable size \(old.usable)")
      } else {
        let smaller = usableSize(size: size, align: old.align)
        try expect(
          result == smaller || result == old.usable,
          "\(call): neither the usable size of \(size), which is \(smaller), nor the old one, \(old.usable)")
      }
      // Nothing else may lie in what the block now claims, neither now nor later.
      var claimed = old
      claimed.usable = result
      var all = blocks
      all[index] = claimed
      try expectDisjoint(all) { $0.usable }
      for _ in 0..<8 { all.append(try allocate(size: old.size, align: old.align)) }
      try expectDisjoint(all) { $0.usable }
      for other in all.indices where other != index { fill(&all[other], count: all[other].size) }
      fill(&all[index], count: result)
      try expectContents(all, "after \(call), and all of that was written")
      for block in all[blocks.count...] { deallocate(block) }
      all[index].size = blocks[index].size
      for index in blocks.indices { blocks[index] = all[index] }
      // The result is the usable size, and valid as the old size, from then on.
      let again = Allocator.reallocateInPlace(
        claimed.pointer, oldSize: result, size: result, align: claimed.align)
      countStep()
      try expect(again == result, "\(call), and then, asked for these \(result) bytes, \(again)")
    }
  }

  func checkOldSizeRange() throws {
    for size in telltaleSizes(upTo: limits.largestSize / 8) {
      for align in [8, 16, 64] {
        let usable = usableSize(size: size, align: align)
        let between = size + random.below(usable - size + 1)
        for oldSize in [usable, between, size] {
          let whole = usableSize(size: oldSize, align: align)
          try expect(
            whole <= usable,
            "usableSize is \(usable) for size \(size), but \(whole) for its valid oldSize \(oldSize)"
          )
          for target in [oldSize + oldSize / 2 + 1, 3 * oldSize + 200, oldSize - oldSize / 4, oldSize / 3] {
            var block = try allocate(size: size, align: align)
            fill(&block, count: oldSize)
            let call = "reallocate(oldSize: \(oldSize), size: \(target)) of \(block.name)"
            try reallocate(&block, oldSize: oldSize, size: target)
            try expectContents(block, "after \(call)")
            deallocate(block, oldSize: target + random.below(block.usable - target + 1))
          }
          var block = try allocate(size: size, align: align)
          let result = reallocateInPlace(&block, oldSize: oldSize, size: usable + 1)
          try expect(
            result > usable || result == whole,
            "reallocateInPlace(oldSize: \(oldSize), size: \(usable + 1)) of \(block.name) returned \(result)")
          deallocate(block, oldSize: result)
        }
        if size <= 5000 { try checkDeallocationWithOldSizes(size: size, align: align) }
      }
    }
  }

  /// Releases with every valid size, and looks whether that put a block where it is too small.
  private func checkDeallocationWithOldSizes(size: Int, align: Int) throws {
    let usable = usableSize(size: size, align: align)
    var blocks: [TestBlock] = []
    for _ in 0..<12 { blocks.append(try allocate(size: size, align: align)) }
    blocks.shuffle(using: &random)
    for block in blocks {
      deallocate(block, oldSize: random.oneIn(2) ? usable : size + random.below(usable - size + 1))
    }
    var later: [TestBlock] = []
    for size in [size, usable, usable + 1] {
      for _ in 0..<8 { later.append(try allocate(size: size, align: align)) }
    }
    try expectDisjoint(later) { $0.usable }
    for index in later.indices { fill(&later[index], count: later[index].usable) }
    try expectContents(later, "after blocks were deallocated with oldSize from \(size) to \(usable)")
    for block in later { deallocate(block) }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

// Laws of `MallocABI`.
extension LawTrial {
  /// A block from whichever function gives one.
  private func allocateSomehow(_ malloc: MallocOperations, size: Int, align: Int) throws -> TestBlock {
    switch random.below(4) {
    case 0:
      countStep()
      guard let pointer = malloc.allocateZeroed(size, align) else {
        throw violation("allocateZeroed(size: \(size), align: \(align)) returned nil", of: .servesRequests)
      }
      let usable = usableSize(size: size, align: align)
      return TestBlock(pointer: pointer, size: size, align: align, usable: usable, tag: 0)
    case 1:
      var block = try allocate(size: random.size(upTo: 5000), align: align)
      try reallocate(&block, size: size)
      return block
    default:
      return try allocate(size: size, align: align)
    }
  }

  func checkDeallocateByPointer() throws {
    guard let malloc else { return }
    var live: [TestBlock] = []
    for round in 0..<6 {
      while live.count < 300 {
        let size = random.size(upTo: random.oneIn(40) ? limits.largestSize / 8 : 5000)
        live.append(try allocateSomehow(malloc, size: size, align: random.alignment(upTo: 1 << 16)))
      }
      try expectDisjoint(live) { $0.size }
      for index in live.indices { fill(&live[index], count: live[index].size) }
      live.shuffle(using: &random)
      for _ in 0..<200 {
        let block = live.removeLast()
        if random.oneIn(3) {
          deallocate(block)
        } else {
          countStep()
          malloc.deallocate(block.pointer)
        }
      }
      try expectContents(live, "after others were deallocated by pointer, in round \(round)")
    }
    for block in live { malloc.deallocate(block.pointer) }
  }

  func checkUsableSizeByPointer() throws {
    guard let malloc else { return }
    for size in [0] + telltaleSizes(upTo: limits.largestSize / 8) {
      for align in size <= 5000 ? [1, 16, 64, 4096] : [16, 4096] {
        var live: [TestBlock] = []
        for _ in 0..<(size <= 5000 ? 12 : 3) {
          var block = try allocateSomehow(malloc, size: size, align: align)
          countStep()
          let usable = malloc.usableSize(block.pointer)
          try expect(
            usable >= block.usable,
            "usableSize(of:) is \(usable) for \(block.name)")
          block.usable = usable
          live.append(block)
        }
        try expectDisjoint(live) { $0.usable }
        for index in live.indices { fill(&live[index], count: live[index].usable) }
        try expectContents(live, "after all of usableSize(of:) of its neighbours was written")
        for index in live.indices {
          // Valid as the old size of every function.
          let usable = live[index].usable
          let name = live[index].name
          let result = reallocateInPlace(&live[index], oldSize: usable, size: usable + 1)
          try expect(
            result > usable || result <= usable && result >= live[index].size,
            "reallocateInPlace(oldSize: \(usable), size: \(usable + 1)) of \(name) returned \(result)")
          let now = malloc.usableSize(live[index].pointer)
          try expect(
            result <= now,
            "reallocateInPlace(oldSize: \(usable), size: \(usable + 1)) of \(name) returned \(result), and then "
              + "usableSize(of:) is \(now)")
          live[index].filled = usable
          if random.oneIn(2) {
            try reallocate(&live[index], oldSize: usable, size: usable + 200)
            try expectContents(live[index], "after reallocate(oldSize: usableSize(of:)) of \(name)")
          }
          deallocate(live[index], oldSize: malloc.usableSize(live[index].pointer))
        }
      }
    }
  }

  func checkAllocateZeroed() throws {
    guard let malloc else { return }
    let sizes = [0, 1, 8, 24, 100, 1000, 2048, 2049, 3000, 5000, 10_000, 65_536, 200_000, 1 << 20, limits.largestSize]
    for size in sizes where size <= limits.largestSize {
      for align in size <= 200_000 ? [1, 8, 16, 64, 4096, 1 << 16] : [16] {
        let count = size <= 10_000 ? 8 : 2
        // The second round and the third meet memory that the first has written to.
        for _ in 0..<3 {
          var blocks: [TestBlock] = []
          for _ in 0..<count {
            blocks.append(try allocateZeroed(malloc, size: size, align: align))
          }
          try expectDisjoint(blocks) { $0.size }
          for _ in 0..<count { blocks.append(try allocate(size: size, align: align)) }
          for index in blocks.indices { fill(&blocks[index], count: blocks[index].usable) }
          blocks.shuffle(using: &random)
          for block in blocks { deallocate(block) }
        }
      }
    }
  }

  func checkReallocateByPointer() throws {
    guard let malloc else { return }
    let sizes = [1, 24, 100, 1000, 4096, 5000, 131_073, limits.largestSize / 4]
    for align in [1, 16, 64, 4096] {
      for from in sizes {
        for to in sizes {
          var block = try allocateSomehow(malloc, size: from, align: align)
          fill(&block, count: malloc.usableSize(block.pointer))
          let name = block.name
          countStep()
          let refused = malloc.reallocate(block.pointer, .max - 4096)
          try expect(refused == nil, "reallocate(_:size: \(Int.max - 4096)) of \(name) returned \(refused!)")
          try expectContents(block, "after reallocate(_:size:) returned nil")
          countStep()
          guard let pointer = malloc.reallocate(block.pointer, to) else {
            throw violation("reallocate(_:size: \(to)) of \(name) returned nil", of: .servesRequests)
          }
          try expectAligned(pointer, 16, "reallocate(_:size: \(to)) of \(name)")
          block.pointer = pointer
          block.filled = min(block.filled, to)
          try expectContents(block, "after reallocate(_:size: \(to))")
          malloc.deallocate(pointer)
        }
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

// Laws of `allocate` and `usableSize`.
extension LawTrial {
  /// Sizes at which allocators change their ways: small ones, and both sides of the powers of two, up to `largest`.
  func telltaleSizes(upTo largest: Int) -> [Int] {
    let small = [1, 2, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32, 33, 40, 48, 80, 100, 112, 200, 500, 1000, 1500, 3000]
    let powers = (6..<40).map { 1 << $0 }.flatMap { [$0 - 8, $0 - 1, $0, $0 + 1] }
    return (small + powers).filter { $0 <= largest }.sorted()
  }

  func checkServesRequests() throws {
    for size in telltaleSizes(upTo: limits.largestSize) {
      for align in size <= 5000 ? [1, 2, 4, 8, 16, 32, 64, 4096] : [16] {
        let block = try allocate(size: size, align: align)
        block.pointer.storeBytes(of: 0xA5, as: UInt8.self)
        (block.pointer + size - 1).storeBytes(of: 0x5A, as: UInt8.self)
        deallocate(block)
      }
    }
  }

  func checkAlignment() throws {
    var align = 1
    while align <= limits.largestAlignment {
      // Several at once: a single block may be aligned by accident.
      let isSmall = align <= 4096
      var sizes = [1, 16, 24, 100]
      if align <= 1 << 20 { sizes += [align - 1, align, align + 1, 2 * align, 3 * align + 1] }
      for size in sizes where size > 0 {
        var blocks: [TestBlock] = []
        for count in 0..<(isSmall ? 8 : 2) {
          guard let pointer = rawAllocate(size: size, align: align) else {
            throw violation("allocate(size: \(size), align: \(align)) returned nil")
          }
          try expectAligned(pointer, align, "allocate(size: \(size), align: \(align))")
          blocks.append(TestBlock(pointer: pointer, size: size, align: align, usable: size, tag: 0))
          // Shifts the next block where blocks are laid one after the other.
          blocks.append(try allocate(size: 8 + 16 * count, align: 8))
        }
        for block in blocks { deallocate(block) }
      }
      align *= 2
    }
    // An alignment above what has to be served is refused, or served.
    for align in [1 << 31, 1 << 32, 1 << 40, 1 << 61, 1 << 62] where align > limits.largestAlignment {
      for size in [0, 1, 100, 5000] {
        guard let pointer = rawAllocate(size: size, align: align) else { continue }
        try expectAligned(pointer, align, "allocate(size: \(size), align: \(align))")
        Allocator.deallocate(pointer, oldSize: size, align: align)
      }
    }
  }

  func checkSizeZero() throws {
    var live: [TestBlock] = []
    for align in [1, 2, 8, 16, 64, 4096] where align <= limits.largestAlignment {
      for _ in 0..<16 {
        guard let pointer = rawAllocate(size: 0, align: align) else {
          throw violation("allocate(size: 0, align: \(align)) returned nil")
        }
        try expectAligned(pointer, align, "allocate(size: 0, align: \(align))")
        live.append(TestBlock(pointer: pointer, size: 0, align: align, usable: 0, tag: 0))
        live.append(try allocate(size: 1 + random.below(32), align: 8))
      }
    }
    try expectUniquePointers(live)
    // A block that shrinks to nothing is still a block; one that grows from nothing becomes an ordinary one.
    for index in live.indices where live[index].size > 0 && random.oneIn(2) {
      let block = live[index]
      guard let pointer = rawReallocate(block.pointer, oldSize: block.size, size: 0, align: block.align) else {
        throw violation("reallocate of \(block.name) to size 0 returned nil")
      }
      live[index].pointer = pointer
      live[index].size = 0
    }
    try expectUniquePointers(live)
    for index in live.indices where live[index].size == 0 && random.oneIn(2) {
      try reallocate(&live[index], size: 40)
      fill(&live[index], count: 40)
    }
    try expectUniquePointers(live)
    try expectContents(live, "after others grew from size 0")
    for block in live where block.size == 0 { deallocate(block) }
    var more: [TestBlock] = []
    for _ in 0..<64 { more.append(try allocateFilled(size: 24, align: 8)) }
    let rest = live.filter { $0.size > 0 } + more
    try expectUniquePointers(rest)
    try expectContents(rest, "after the blocks of size 0 were deallocated")
    for block in rest { deallocate(block) }
  }

  private func expectUniquePointers(_ blocks: [TestBlock]) throws {
    var owners: [UnsafeMutableRawPointer: TestBlock] = [:]
    for block in blocks {
      if let other = owners.updateValue(block, forKey: block.pointer) {
        throw violation("two live blocks, of sizes \(other.size) and \(block.size), are at \(block.pointer)")
      }
    }
  }

  func checkBlocksDisjoint() throws {
    var live: [TestBlock] = []
    for _ in 0..<4 {
      while live.count < 400 {
        let size = random.size(upTo: random.oneIn(50) ? limits.largestSize / 8 : 5000)
        live.append(try allocate(size: size, align: random.alignment(upTo: 4096)))
      }
      try expectDisjoint(live) { $0.size }
      for index in live.indices { fill(&live[index], count: live[index].size) }
      try expectContents(live, "though nothing wrote to it since")
      live.shuffle(using: &random)
      for _ in 0..<100 {
        let index = random.below(live.count)
        try reallocate(&live[index], size: random.size(upTo: 5000))
        live[index].filled = 0
        try expectDisjoint(live) { $0.size }
        fill(&live[index], count: live[index].size)
      }
      try expectContents(live, "after others were reallocated")
      for _ in 0..<200 { deallocate(live.removeLast()) }
      try expectContents(live, "after others were deallocated")
    }
    for block in live { deallocate(block) }
  }

  func checkUsableSizeCovers() throws {
    func check(_ size: Int, _ align: Int) throws -> Int {
      let usable = usableSize(size: size, align: align)
      try expect(usable >= size, "usableSize(size: \(size), align: \(align)) is \(usable)")
      return usable
    }
    let sizes = [0] + telltaleSizes(upTo: 1 << 40) + [1 << 47, 1 << 62, .max - 4096, .max - 16, .max - 1, .max]
    let aligns = (0...30).map { 1 << $0 }
    for size in sizes {
      for align in aligns {
        let usable = try check(size, align)
        let again = try check(size, align)
        try expect(usable == again, "usableSize(size: \(size), align: \(align)) is \(usable), then \(again)")
      }
    }
    // Nor does it change with the state of the heap.
    for _ in 0..<100 {
      let size = random.size(upTo: 5000)
      let align = random.alignment(upTo: 4096)
      let before = usableSize(size: size, align: align)
      guard let pointer = rawAllocate(size: size, align: align) else { continue }
      let between = usableSize(size: size, align: align)
      Allocator.deallocate(pointer, oldSize: size, align: align)
      let after = usableSize(size: size, align: align)
      try expect(
        before == between && between == after,
        "usableSize(size: \(size), align: \(align)) is \(before), with such a block live \(between), later \(after)")
    }
  }

  func checkUsableSizeHolds() throws {
    for size in [0] + telltaleSizes(upTo: limits.largestSize / 8) {
      for align in size <= 5000 ? [1, 16, 64, 4096] : [16, 4096] {
        var live: [TestBlock] = []
        for _ in 0..<(size <= 5000 ? 24 : 3) { live.append(try allocate(size: size, align: align)) }
        try expectDisjoint(live) { $0.usable }
        for index in live.indices { fill(&live[index], count: live[index].usable) }
        try expectContents(live, "after all of the usable size of its neighbours was written")
        live.shuffle(using: &random)
        for block in live { deallocate(block) }
      }
    }
  }
}

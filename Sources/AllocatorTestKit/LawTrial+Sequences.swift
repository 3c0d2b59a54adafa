// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

extension LawTrial {
  /// Random operations against a model. Each block is verified before it is resized or released, and all are, now and
  /// then.
  func checkAnySequence() throws {
    var map = BlockMap()
    var operations = 0
    while operations < limits.operations {
      operations += 1
      let isFull = map.blocks.count >= 600 || map.byteCount > 4 * limits.largestSize
      switch random.below(100) {
      case ..<42 where !isFull:
        try enter(try allocateRandomly(), in: &map, "allocate")
      case ..<75 where !map.blocks.isEmpty:
        try deallocateRandomly(map.remove(at: random.below(map.blocks.count)))
      case ..<88 where !map.blocks.isEmpty:
        var block = map.remove(at: random.below(map.blocks.count))
        try expectContents(block, "before reallocate")
        let size = randomSize()
        let name = block.name
        try reallocate(&block, oldSize: validOldSize(of: block), size: size)
        try expectAligned(block.pointer, block.align, "reallocate of \(name) to size \(size)")
        try expectContents(block, "after reallocate of \(name) to size \(size)")
        try enter(block, in: &map, "reallocate")
      case ..<99 where !map.blocks.isEmpty:
        var block = map.remove(at: random.below(map.blocks.count))
        let old = block
        let oldSize = validOldSize(of: block)
        let size = random.oneIn(2) ? randomSize() : max(0, block.size + random.below(65) - 32)
        let result = reallocateInPlace(&block, oldSize: oldSize, size: size)
        if result < size { block.filled = min(old.filled, result) }
        try expect(
          result >= block.size && (result >= size || result == usableSize(size: oldSize, align: block.align)),
          "reallocateInPlace(oldSize: \(oldSize), size: \(size)) of \(old.name) returned \(result)")
        try expectContents(block, "after reallocateInPlace of \(old.name) to size \(size)")
        try enter(block, in: &map, "reallocateInPlace")
      default:
        try expectContents(map.blocks, "though nothing wrote to it since")
      }
    }
    try expectContents(map.blocks, "at the end")
    for block in map.blocks { deallocate(block) }
  }

  private func randomSize() -> Int {
    random.size(upTo: random.oneIn(100) ? limits.largestSize / 2 : random.oneIn(10) ? 100_000 : 2000)
  }

  private func validOldSize(of block: TestBlock) -> Int {
    switch random.below(4) {
    case 0: block.usable
    case 1: block.size + random.below(block.usable - block.size + 1)
    default: block.size
    }
  }

  private func allocateRandomly() throws -> TestBlock {
    let size = randomSize()
    let align = random.alignment(upTo: limits.largestAlignment)
    guard let malloc, random.oneIn(4) else {
      let block = try allocate(size: size, align: align)
      try expectAligned(block.pointer, align, "allocate(size: \(size), align: \(align))")
      return block
    }
    return try allocateZeroed(malloc, size: size, align: align)
  }

  private func deallocateRandomly(_ block: TestBlock) throws {
    try expectContents(block, "before it was deallocated")
    if let malloc, random.oneIn(2) {
      countStep()
      malloc.deallocate(block.pointer)
    } else {
      deallocate(block, oldSize: validOldSize(of: block))
    }
  }

  /// Notes the block as live, and fills it: all that is usable, or what was asked for. The contents of a block that was
  /// resized stay as they are, half of the time.
  private func enter(_ block: TestBlock, in map: inout BlockMap, _ call: String) throws {
    var block = block
    let isToBeFilled = block.filled == 0 || random.oneIn(2)
    let count = random.oneIn(2) ? block.usable : block.size
    if isToBeFilled {
      block.tag = nextTag()
      block.filled = count
    }
    if let other = map.insert(block) {
      throw violation("\(call) returned \(block.name), which shares memory with \(other.name), which is live")
    }
    // Not before it is known to be nobody else's.
    if isToBeFilled { BytePattern.fill(block.pointer, count: count, tag: block.tag) }
  }
}

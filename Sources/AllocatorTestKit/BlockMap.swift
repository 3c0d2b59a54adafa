// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The model against which random operations are checked: the live blocks, and where they lie.
struct BlockMap {
  /// In an order that does not depend on addresses, so that a seed picks the same blocks in each run.
  private(set) var blocks: [TestBlock] = []
  /// The sum of the usable sizes, in bytes.
  private(set) var byteCount = 0
  /// What the blocks cover, in the order of addresses.
  private var extents: [Range<UnsafeMutableRawPointer>] = []

  /// Enters a block. Returns a live block that shares memory with it, if there is one; then it is not entered.
  mutating func insert(_ block: TestBlock) -> TestBlock? {
    let extent = extent(of: block)
    let index = firstIndex(notBelow: block.pointer)
    if index < extents.count,
      extents[index].lowerBound == block.pointer || extents[index].lowerBound < extent.upperBound
    {
      return owner(of: extents[index])
    }
    if index > 0, !extent.isEmpty, extents[index - 1].upperBound > block.pointer {
      return owner(of: extents[index - 1])
    }
    extents.insert(extent, at: index)
    blocks.append(block)
    byteCount += block.usable
    return nil
  }

  /// Takes a block out; the last one takes its index.
  mutating func remove(at index: Int) -> TestBlock {
    blocks.swapAt(index, blocks.count - 1)
    let block = blocks.removeLast()
    extents.remove(at: firstIndex(notBelow: block.pointer))
    byteCount -= block.usable
    return block
  }

  private func extent(of block: TestBlock) -> Range<UnsafeMutableRawPointer> {
    block.pointer..<block.pointer + block.usable
  }

  private func owner(of extent: Range<UnsafeMutableRawPointer>) -> TestBlock? {
    blocks.first { $0.pointer == extent.lowerBound }
  }

  private func firstIndex(notBelow pointer: UnsafeMutableRawPointer) -> Int {
    var low = 0
    var high = extents.count
    while low < high {
      let middle = (low + high) / 2
      if extents[middle].lowerBound < pointer { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Size classes: the block sizes of which spans are made.
//
// Multiples of 16 bytes up to 128, then eight to each doubling up to 64 KiB: 80 classes, and a block above 128 bytes
// wastes less than an eighth of itself. A class whose size is a multiple of 2ⁿ (n ≤ 13) has all its blocks aligned to 2ⁿ,
// since spans begin at multiples of 8 KiB; and the class of a multiple of 2ⁿ is itself a multiple of 2ⁿ. So alignment
// takes no more than rounding the size up to it.

@usableFromInline
enum SizeClass {
  @inlinable @inline(__always) static var count: Int { @_noLocks get { 80 } }

  /// Bytes of the largest class.
  @inlinable @inline(__always) static var largest: Int { @_noLocks get { 64 << 10 } }

  /// Bytes of the largest size that ``ThreadHeap`` has in its direct table, one entry for 16 bytes.
  @inlinable @inline(__always) static var largestDirect: Int { @_noLocks get { 1 << 10 } }

  /// Entries of the direct table.
  @inlinable @inline(__always) static var directCount: Int { @_noLocks get { 65 } }

  /// The class of `size`, which is at least 1 and at most ``largest``.
  @inlinable @inline(__always) @_noLocks
  static func index(size: Int) -> Int {
    let last = UInt(bitPattern: size &- 1)
    let power = 63 &- (last | 127).leadingZeroBitCount
    // Below 128 bytes the spacing is that of the first doubling.
    let base = max(power, 7)
    return (base &- 7) &<< 3 &+ Int(bitPattern: last &>> UInt(base &- 3))
  }

  /// Bytes of a block of class `index`.
  @inlinable @inline(__always) @_noLocks
  static func blockSize(_ index: Int) -> Int {
    index < 16 ? (index &+ 1) &* 16 : (index & 7 &+ 9) &<< (index &>> 3 &+ 3)
  }

  /// The slots of a span of class `index`: 16 KiB at least of small blocks, fewer blocks the larger they are, and at most a
  /// sixteenth left over.
  @_noLocks
  static func slotCount(_ index: Int) -> Int {
    let size = blockSize(index)
    let least =
      switch size {
      case ...(1 << 10): 8 << 10
      case ...(4 << 10): 8 * size
      case ...(8 << 10): 4 * size
      case ...(16 << 10): 2 * size
      default: size
      }
    var count = (least + Chunk.slotSize - 1) / Chunk.slotSize
    while count * Chunk.slotSize % size * 16 > count * Chunk.slotSize { count += 1 }
    return count
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Size classes: the block sizes of which spans are made.
//
// Multiples of 16 bytes up to 256, then eight to each doubling up to 64 KiB: 80 classes, numbered from 1, and a block above
// 128 bytes wastes less than an eighth of itself. A class whose size is a multiple of 2ⁿ (n ≤ 12) has all its blocks aligned to
// 2ⁿ, since spans begin at multiples of 4 KiB; and the class of a multiple of 2ⁿ is itself a multiple of 2ⁿ. So alignment
// takes no more than rounding the size up to it.

@usableFromInline
enum SizeClass {
  /// The number of the last class; 0 is none.
  @inlinable @inline(__always) static var last: Int { @_noLocks get { 80 } }

  /// Bytes of the last class.
  @inlinable @inline(__always) static var largest: Int { @_noLocks get { 64 << 10 } }

  /// Bytes up to which sizes and alignments are looked up in a table: rounded up, they are at most twice that.
  @inlinable @inline(__always) static var largestInTable: Int { @_noLocks get { 8 << 10 } }

  /// Whether the table has the class of these, with `tail` bytes behind.
  @inlinable @inline(__always) @_noLocks
  static func isInTable(size: Int, align: Int, tail: Int = 0) -> Bool {
    UInt(bitPattern: size) <= UInt(bitPattern: largestInTable &- tail)
      && UInt(bitPattern: align &- 1) < UInt(Chunk.pageSize)
      && align & (align &- 1) == 0
  }

  /// `size` rounded up to a multiple of `align`, in units of 16 bytes.
  @inlinable @inline(__always) @_noLocks
  static func sixteenths(size: Int, align: Int) -> UInt {
    let mask = (align &- 1) | 15
    return UInt(bitPattern: (size &+ mask) & ~mask) &>> 4
  }

  /// The class of `size` bytes at a multiple of `align` (class 0 of 0 bytes), both at most those.
  @inlinable @inline(__always) @_noLocks
  static func index(size: Int, align: Int) -> Int {
    nest_class(sixteenths(size: size, align: align))
  }

  /// The class of `size`, which is at least 1 and at most ``largest``.
  @_noLocks
  static func index(size: Int) -> Int {
    let last = UInt(bitPattern: size &- 1)
    // Below 128 bytes the spacing is that of the first doubling.
    let power = 63 &- (last | 128).leadingZeroBitCount
    return (power &- 7) &<< 3 &+ Int(bitPattern: last &>> UInt(bitPattern: power &- 3)) &+ 1
  }

  /// Bytes of a block of class `index`.
  @inlinable @inline(__always) @_noLocks
  static func blockSize(_ index: Int) -> Int {
    index <= 16 ? index &* 16 : ((index &- 1) & 7 &+ 9) &<< ((index &- 1) &>> 3 &+ 3)
  }

  /// The pages of a span of class `index` that is made now: 4 KiB at least, fewer blocks the larger they are, and at most a sixteenth left
  /// over; where blocks are shuffled, 16 blocks or one.
  @_noLocks
  static func pageCount(_ index: Int) -> Int {
    let size = blockSize(index)
    let least =
      switch size {
      case 129...512: 4 << 10
      case ...(2 << 10): 8 << 10
      case ...(8 << 10): 16 << 10
      default: size
      }
    let isShuffled = nest_hardening() & UInt32(NEST_SHUFFLES) != 0
    // One block, of which nobody knows where its span begins: see Pages.allocateScattered.
    if isShuffled, size > largestInTable { return (size + Chunk.pageSize - 1) / Chunk.pageSize }
    // Blocks to choose from at random.
    let chosen = isShuffled && size <= Chunk.pageSize ? 16 * size : 0
    var count = (max(least, chosen) + Chunk.pageSize - 1) / Chunk.pageSize
    while count * Chunk.pageSize % size * 16 > count * Chunk.pageSize { count += 1 }
    return count
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Size classes: the block sizes of which spans are made.
//
// Multiples of 16 bytes up to 128, then eight to each doubling up to 128 KiB: 88 classes, and a block above 128 bytes
// wastes less than an eighth of itself. A class whose size is a multiple of 2ⁿ (n ≤ 14) has all its blocks aligned to 2ⁿ,
// since spans begin at multiples of 16 KiB; and the class of a multiple of 2ⁿ is itself a multiple of 2ⁿ. So alignment
// takes no more than rounding the size up to it.

@usableFromInline
enum SizeClass {
  @inlinable @inline(__always) static var count: Int { @_noLocks get { 88 } }

  /// Bytes of the largest class.
  @inlinable @inline(__always) static var largest: Int { @_noLocks get { 128 << 10 } }

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

  /// The slots of a span of class `index`: enough for some dozens of small blocks and four large ones, with at most a
  /// sixteenth of it left over.
  @_noLocks
  static func slotCount(_ index: Int) -> Int {
    let size = blockSize(index)
    if size <= 512 { return 1 }
    if size <= 1 << 10 { return 2 }
    if size <= 8 << 10 { return 4 }
    let blocks = size <= 32 << 10 ? 8 : 4
    return (size * blocks + Chunk.slotSize - 1) / Chunk.slotSize
  }

  /// The first entry of the direct table that leads to class `index`, whose blocks are at most ``largestDirect`` bytes; the
  /// last is that of its block size.
  @_noLocks
  static func firstDirectEntry(_ index: Int) -> Int {
    index == 0 ? 0 : blockSize(index &- 1) / 16 + 1
  }
}

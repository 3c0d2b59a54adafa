// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The bytes between the size that was asked for and the end of a block, of 8 at least.
//
//     0                       asked                      the size of the class
//     ┌───────────────────────┬──────────────┬──── … ────┬────────────┬──────┐
//     │ the program's         │ front        │  as left  │ 6 bytes    │ left │     front: as much of 8 bytes as there is room for
//     └───────────────────────┴──────────────┴──── … ────┴────────────┴──────┘
//
// `left` is how many bytes these are, 16 bits of them. All are made unintelligible by a word that only the process knows, another one
// for each address: who overwrites one of them has to guess it, and `left` is believed only where the bytes around it are what they should
// be. Writing and reading take no branch that depends on the size.

@usableFromInline
struct BlockTail {
  /// Bytes of a tail at least.
  @inlinable @inline(__always) static var leastBytes: Int { @_noLocks get { 8 } }

  @usableFromInline let block: UnsafeMutableRawPointer
  /// Bytes of the block: a size class.
  @usableFromInline let blockSize: Int

  @inlinable @inline(__always) @_noLocks
  init(_ block: UnsafeMutableRawPointer, _ blockSize: Int) {
    self.block = block
    self.blockSize = blockSize
  }

  @inlinable @inline(__always)
  var key: UInt64 { @_noLocks get { nest_tail_key(UInt(bitPattern: block)) } }

  /// No byte of it is zero or ASCII: text that is too long by one byte is found, and so is the zero that ends it.
  @inlinable @inline(__always) @_noLocks
  static func front(_ key: UInt64) -> UInt64 { key | 0x8080_8080_8080_8080 }

  @inlinable @inline(__always) @_noLocks
  static func back(_ key: UInt64) -> UInt64 { key &* 3 | 0x8080_8080_8080 }

  /// Writes the tail of a block of which `size` bytes were asked for.
  @inlinable @inline(__always) @_noLocks
  func write(_ size: Int) {
    let key = key
    let left = UInt64(truncatingIfNeeded: blockSize &- size)
    nest_store(block + size, BlockTail.front(key))
    nest_store(block + (blockSize &- 8), BlockTail.back(key) ^ left &<< 48)
  }

  /// Writes the tail of a live block, of which `old` bytes were asked for, anew; what is added to the program's bytes is zeros, as what was behind
  /// them is not for the program to read. Meanwhile `left` is 0, which it never is else, so that ``BackgroundWalk`` can tell.
  @_noLocks
  func rewrite(from old: Int, to size: Int) {
    let (key, last) = (key, block + (blockSize &- 8))
    nest_store_in_order(last, UInt(truncatingIfNeeded: BlockTail.back(key)))
    if size > old { nest_zero(block + old, size - old) }
    var (front, offset) = (BlockTail.front(key), size)
    if size &+ 16 <= blockSize {
      nest_store(block + size, front)
    } else {
      while offset < blockSize &- 8 {
        (block + offset).storeBytes(of: UInt8(truncatingIfNeeded: front), as: UInt8.self)
        front >>= 8
        offset += 1
      }
    }
    nest_keep_order()
    nest_store(last, BlockTail.back(key) ^ UInt64(truncatingIfNeeded: blockSize &- size) &<< 48)
  }

  /// Whether the tail may be one that a thread is about to write: of a live block that is being resized, or is of less than 16 bytes and has been
  /// taken just now, so that it is zeros behind its first word.
  var isBeingWritten: Bool {
    @_noLocks get {
      let (key, word) = (key, nest_load(block + (blockSize &- 8)))
      let difference = word ^ BlockTail.back(key)
      if difference == 0 { return true }
      // Only in the class of 32 bytes: front and `left` in whichever order.
      if blockSize != 32 { return false }
      if word == 0 { return true }
      let size = 32 &- Int(truncatingIfNeeded: difference &>> 48)
      return difference &<< 16 == 0 && size >= 0 && size < 16 && nest_load(block + size) == 0
    }
  }

  /// The size that was asked for; nil where the tail is not as it was written.
  @inlinable @inline(__always) @_noLocks
  func read() -> Int? {
    let key = key
    let difference = nest_load(block + (blockSize &- 8)) ^ BlockTail.back(key)
    let gap = UInt64(truncatingIfNeeded: blockSize &- 8)
    // Bytes in front of the word at the end; far more than there are where `left` is none.
    let front = difference &>> 48 &- 8
    guard difference &<< 16 == 0, front <= gap else { return nil }
    let size = Int(truncatingIfNeeded: gap &- front)
    // Without the bytes that are those at the end already. Of all eight of them, in two halves: no shift is by as much as a word has.
    let shift = 32 &- (front < 8 ? front : 8) &* 4
    guard ((nest_load(block + size) ^ BlockTail.front(key)) &<< shift) &<< shift == 0 else { return nil }
    return size
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What a free block holds in its first 16 bytes: the next free block, and a signature of that link.
//
//     0        8          16
//     ┌────────┬───────────┬──── … ────┐
//     │  next  │ signature │  as left  │      signature = next + the block's own address + the secret of the process
//     └────────┴───────────┴──── … ────┘
//
// Every block that is free and no block that is not has such a second word: linking it signs it, taking it clears that. So
// one comparison serves two checks. A block that is taken and is not signed was written to while it was free; a block that
// is released and is signed is free already, wherever it waits: in whichever thread's bin, in a list on its way or in its span. The
// address in it keeps the words of a free block from passing for a signature where they have been copied to.
//
// Lists end at a block that is none: it can be read, is never signed, and saves the fast path of malloc the test for null.

@usableFromInline
struct FreeBlock {
  @usableFromInline
  struct Words {
    @usableFromInline var next: FreeBlock
    @usableFromInline var signature: UInt
  }

  @usableFromInline let words: UnsafeMutablePointer<Words>

  @inlinable @inline(__always) @_noLocks
  init(_ pointer: UnsafeMutableRawPointer) { words = pointer.assumingMemoryBound(to: Words.self) }

  /// The end of every list.
  @inlinable @inline(__always)
  static var none: FreeBlock { @_noLocks get { FreeBlock(nest_no_block()) } }

  @inlinable @inline(__always)
  var isNone: Bool { @_noLocks get { pointer == nest_no_block() } }

  @inlinable @inline(__always) @_noLocks
  static func == (a: FreeBlock, b: FreeBlock) -> Bool { a.words == b.words }

  @inlinable @inline(__always)
  var pointer: UnsafeMutableRawPointer { @_noLocks get { UnsafeMutableRawPointer(words) } }

  @inlinable @inline(__always)
  var address: UInt { @_noLocks get { UInt(bitPattern: words) } }

  @inlinable @inline(__always)
  var next: FreeBlock { @_noLocks get { words.pointee.next } }

  /// Makes the block one that is free and followed by `next`.
  @inlinable @inline(__always) @_noLocks
  func link(to next: FreeBlock) {
    words.pointee.next = next
    words.pointee.signature = next.address &+ address &+ nest_key()
  }

  /// Whether the block is free, and as it was left.
  @inlinable @inline(__always)
  var isSigned: Bool {
    @_noLocks get { words.pointee.next.address &+ address &+ nest_key() == words.pointee.signature }
  }

  @inlinable @inline(__always) @_noLocks
  func clearSignature() { words.pointee.signature = 0 }

  /// Makes the block one that is on its way between free and live: neither has to be as it should be yet. What is written
  /// afterwards is not written before. Of hardened flavours, for ``BackgroundWalk``.
  @inlinable @inline(__always) @_noLocks
  func mark() { nest_store_in_order(pointer + 8, address &+ nest_key() &+ 1) }

  /// Whether a second word, of the block at `address`, is that of a block on its way. It is the signature of no link: nothing lies at 1.
  @_noLocks
  static func isMark(_ word: UInt, of address: UInt) -> Bool { word == address &+ nest_key() &+ 1 }

  /// Dies unless the block, which is free, is as it was left.
  @inlinable @inline(__always) @_noLocks
  func checkSignature() {
    if !isSigned { Misuse.writtenAfterFree.die(address) }
  }
}

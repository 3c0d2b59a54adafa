// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What a free block holds in its first 16 bytes: the next free block, and a signature of that link.
//
//     0        8          16
//     ┌────────┬───────────┬──── … ────┐
//     │  next  │ signature │  as left  │      signature = next ⊕ the secret of the process
//     └────────┴───────────┴──── … ────┘
//
// One word serves two checks. When a block is taken, its signature must fit its link: if not, something wrote to the block
// while it was free. When a block is released, its signature must not fit: if it does, the block is most likely free
// already, and its span's lists are searched for it. Taking a block clears the signature.

@usableFromInline
struct FreeBlock {
  @usableFromInline
  struct Words {
    @usableFromInline var next: FreeBlock?
    @usableFromInline var signature: UInt
  }

  @usableFromInline let words: UnsafeMutablePointer<Words>

  @inlinable @inline(__always) @_noLocks
  init(_ words: UnsafeMutablePointer<Words>) { self.words = words }

  @inlinable @inline(__always) @_noLocks
  init(_ pointer: UnsafeMutableRawPointer) { words = pointer.assumingMemoryBound(to: Words.self) }

  @inlinable @inline(__always) @_noLocks
  static func == (a: FreeBlock, b: FreeBlock) -> Bool { a.words == b.words }

  @inlinable @inline(__always)
  var pointer: UnsafeMutableRawPointer { @_noLocks get { UnsafeMutableRawPointer(words) } }

  @inlinable @inline(__always)
  var address: UInt { @_noLocks get { UInt(bitPattern: words) } }

  @inlinable @inline(__always) @_noLocks
  static func bits(_ block: FreeBlock?) -> UInt { UInt(bitPattern: block?.words) }

  @inlinable @inline(__always)
  var next: FreeBlock? { @_noLocks get { words.pointee.next } }

  @inlinable @inline(__always) @_noLocks
  func link(to next: FreeBlock?) {
    words.pointee.next = next
    words.pointee.signature = FreeBlock.bits(next) ^ nest_key()
  }

  /// Whether the second word is the signature of the first: true of every free block, and of no other but by accident.
  @inlinable @inline(__always)
  var isSigned: Bool { @_noLocks get { FreeBlock.bits(words.pointee.next) ^ words.pointee.signature == nest_key() } }

  @inlinable @inline(__always) @_noLocks
  func clearSignature() { words.pointee.signature = 0 }

  /// Dies unless the block, which is free, is as it was left.
  @inlinable @inline(__always) @_noLocks
  func checkSignature() {
    if !isSigned { Misuse.writtenAfterFree.die(address) }
  }

  /// Whether `block` is within `limit` links of the list that begins here.
  @_noLocks
  func listContains(_ block: FreeBlock, limit: Int) -> Bool {
    var rest: FreeBlock? = self
    var steps = 0
    while let candidate = rest, steps < limit {
      if candidate == block { return true }
      rest = candidate.next
      steps += 1
    }
    return false
  }
}

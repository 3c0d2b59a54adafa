// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorSupport

/// The two words in front of a block of ``HeaderedAllocator``: the size in bytes, and the mark.
///
/// The mark of a live block is its address, mixed with a constant, and in the 6 low bits the binary logarithm of the offset
/// from the start of the block of `Base`. That of a released block is 0, or what `Base` has made of it.
///
/// Safety: every function takes the pointer that the adapter returned; the 16 bytes in front of it are the adapter's alone.
@usableFromInline
enum BlockHeader {
  /// Bytes of the header.
  @inlinable
  @inline(__always)
  static var size: Int { @_noLocks get { 2 * MemoryLayout<Int>.size } }

  @inlinable
  @inline(__always)
  static var markMask: UInt { @_noLocks get { ~63 } }

  /// An arbitrary word, so that neither zeros nor a pointer to the block itself look like a mark.
  @inlinable
  @inline(__always)
  static var constant: UInt { @_noLocks get { 0x9E37_79B9_7F4A_7C15 } }

  /// Bytes from the start of the block of `Base` to the pointer that is returned, and the alignment of both.
  @inlinable
  @_noLocks
  @inline(__always)
  static func offset(align: Int) -> Int { max(align, size) }

  @inlinable
  @_noLocks
  @inline(__always)
  static func mark(of block: UnsafeMutableRawPointer) -> UInt {
    (UInt(bitPattern: block) ^ constant) & markMask
  }

  @inlinable
  @_noLocks
  @inline(__always)
  static func write(size: Int, offset: Int, of block: UnsafeMutableRawPointer) {
    (block - 16).storeBytes(of: size, as: Int.self)
    (block - 8).storeBytes(of: mark(of: block) | UInt(truncatingIfNeeded: offset.trailingZeroBitCount), as: UInt.self)
  }

  @inlinable
  @_noLocks
  @inline(__always)
  static func markReleased(_ block: UnsafeMutableRawPointer) {
    (block - 8).storeBytes(of: 0, as: UInt.self)
  }

  @inlinable
  @_noLocks
  @inline(__always)
  static func size(of block: UnsafeMutableRawPointer) -> Int { (block - 16).load(as: Int.self) }

  /// The offset of a live block. Stops the process if it is not one.
  @inlinable
  @_noLocks
  @inline(__always)
  static func offset(ofLive block: UnsafeMutableRawPointer, in function: StaticString) -> Int {
    let word = (block - 8).load(as: UInt.self)
    if (word ^ mark(of: block)) & markMask != 0 { stop(block, in: function) }
    return 1 &<< Int(truncatingIfNeeded: word & ~markMask)
  }

  @usableFromInline
  @_noLocks
  @inline(never)
  static func stop(_ block: UnsafeMutableRawPointer, in function: StaticString) -> Never {
    let cause: StaticString =
      "no live block of this allocator: released before, allocated elsewhere, or its header was overwritten"
    allocator_stop(
      UnsafeRawPointer(function.utf8Start).assumingMemoryBound(to: CChar.self), block,
      UnsafeRawPointer(cause.utf8Start).assumingMemoryBound(to: CChar.self))
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc
import SystemAllocator

/// An allocator that keeps all laws, those of `MallocABI` included: glibc's blocks with a header in front that says
/// what they are. The broken ones are made from it, with one fault each.
///
///     | … | requested | capacity | offset | align | block …
///         ^ block - 32                            ^ aligned
enum HonestAllocator: MallocABI {
  struct Header {
    /// Bytes asked for when the block was allocated.
    var requested: Int
    /// Bytes the block holds.
    var capacity: Int
    /// Bytes from the start of glibc's block to this one.
    var offset: Int
    /// Bytes.
    var align: Int

    var total: Int { offset + capacity }
    var systemAlign: Int { max(align, 16) }
  }

  static func header(of pointer: UnsafeMutableRawPointer) -> Header {
    (pointer - MemoryLayout<Header>.size).load(as: Header.self)
  }

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align), size < 1 << 46, align <= 1 << 40 else { return nil }
    let header = Header(
      requested: size, capacity: usableSize(size: size, align: align), offset: max(align, 32), align: align)
    guard let start = SystemAllocator.allocate(size: header.total, align: header.systemAlign) else { return nil }
    let pointer = start + header.offset
    (pointer - MemoryLayout<Header>.size).storeBytes(of: header, as: Header.self)
    return pointer
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    deallocate(pointer)
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    let header = header(of: pointer)
    SystemAllocator.deallocate(pointer - header.offset, oldSize: header.total, align: header.systemAlign)
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    move(pointer, size: size, align: align, keeping: min(oldSize, size))
  }

  /// Resizes by moving, always.
  static func move(_ pointer: UnsafeMutableRawPointer, size: Int, align: Int, keeping count: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    moved.copyMemory(from: pointer, byteCount: max(0, count))
    deallocate(pointer)
    return moved
  }

  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    usableSize(size: oldSize, align: align)
  }

  static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align), size <= Int.max - 15 else { return size }
    return max(16, (size + 15) & ~15)
  }

  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int { header(of: pointer).capacity }

  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard let pointer = allocate(size: size, align: align) else { return nil }
    memset(pointer, 0, size)
    return pointer
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What C's malloc family needs beyond the five functions: releasing and measuring a block by its pointer alone, and
/// zeroed allocation.
///
/// An optional ability, for allocators that find a block's size from its address. An allocator without it serves as the
/// process's malloc through an adapter that keeps size and alignment in front of the block.
///
/// The rules of ``AllocatorABI`` hold; blocks of its functions and of these are the same blocks. In addition, as the process's
/// malloc, all of these leave `errno` as it was where they succeed, and so do both releases always: an allocator that makes a
/// system call there restores it.
public protocol MallocABI: AllocatorABI {
  /// Releases a block, as `free` (C17, 7.22.3.3) does.
  static func deallocate(_ pointer: UnsafeMutableRawPointer)

  /// Releases a block, or does nothing for nil, as `free` does.
  ///
  /// The default asks whether there is a block. An allocator that finds out in passing that nil is none of its blocks need not.
  static func free(_ pointer: UnsafeMutableRawPointer?)

  /// Returns how many bytes the block can be used for, as `malloc_usable_size(3)` does: all of them may be written, and
  /// the value is valid as the block's `oldSize`.
  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int

  /// Returns `size` bytes of zeros aligned to `align`, or nil, as `calloc` (C17, 7.22.3.2) does.
  ///
  /// The parameters and the failure are those of ``AllocatorABI/allocate(size:align:)``. Memory that comes zeroed from the
  /// system is not written.
  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer?

  /// Resizes a block of whatever alignment, as `realloc` (C17, 7.22.3.5) does: the result is aligned to 16 bytes.
  ///
  /// Failure is that of ``AllocatorABI/reallocate(_:oldSize:size:align:)``. The default asks for the usable size first.
  static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer?
}

extension MallocABI {
  @inlinable
  @inline(__always)
  public static func free(_ pointer: UnsafeMutableRawPointer?) {
    if let pointer { deallocate(pointer) }
  }

  @inlinable
  @inline(__always)
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    reallocate(pointer, oldSize: usableSize(of: pointer), size: size, align: 2 * MemoryLayout<Int>.size)
  }
}

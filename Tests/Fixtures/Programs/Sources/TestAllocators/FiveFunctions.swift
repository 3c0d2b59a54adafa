// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import SystemAllocator

/// The five functions over glibc's allocator, and nothing else.
///
/// It disturbs `errno`, as an allocator with system calls in it may: the malloc family must not let that be seen.
public enum FiveFunctions: AllocatorABI {
  @inlinable
  @_noLocks
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    allocator_set_error_number(99)
    return SystemAllocator.allocate(size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    allocator_set_error_number(99)
    SystemAllocator.deallocate(pointer, oldSize: oldSize, align: align)
  }

  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    allocator_set_error_number(99)
    return SystemAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    SystemAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func usableSize(size: Int, align: Int) -> Int {
    SystemAllocator.usableSize(size: size, align: align)
  }
}

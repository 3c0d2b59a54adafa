// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport

/// An allocator as a user writes one: the five functions, and nothing else.
enum FiveFunctions: AllocatorABI {
  @_noLocks
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    return align <= 16 ? __libc_malloc(size) : __libc_memalign(align, size)
  }

  @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { __libc_free(pointer) }

  @_noLocks
  static func reallocate(
    _ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int
  ) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= 16 { return __libc_realloc(pointer, size == 0 ? 1 : size) }
    guard let moved = allocate(size: size, align: align) else { return nil }
    allocator_copy(moved, pointer, oldSize < size ? oldSize : size)
    __libc_free(pointer)
    return moved
  }

  @_noLocks
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    oldSize
  }

  @_noLocks
  static func usableSize(size: Int, align: Int) -> Int { size }
}

typealias LinkedAllocator = FiveFunctions

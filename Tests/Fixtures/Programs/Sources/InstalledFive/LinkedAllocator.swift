// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import SystemAllocator

/// The system allocator under no name of its own.
enum LinkedAllocator: AllocatorABI {
  @_noLocks
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    SystemAllocator.allocate(size: size, align: align)
  }

  @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    SystemAllocator.deallocate(pointer, oldSize: oldSize, align: align)
  }

  @_noLocks
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    SystemAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  @_noLocks
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    SystemAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  @_noLocks
  static func usableSize(size: Int, align: Int) -> Int { SystemAllocator.usableSize(size: size, align: align) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

/// An allocator with a fault: does what `HonestAllocator` does, except for the functions that it has itself.
protocol FaultyAllocator: MallocABI {}

extension FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    HonestAllocator.allocate(size: size, align: align)
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    HonestAllocator.deallocate(pointer, oldSize: oldSize, align: align)
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    HonestAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  static func usableSize(size: Int, align: Int) -> Int { HonestAllocator.usableSize(size: size, align: align) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) { HonestAllocator.deallocate(pointer) }

  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int { HonestAllocator.usableSize(of: pointer) }

  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    HonestAllocator.allocateZeroed(size: size, align: align)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc

// Faults in what is refused.

/// Makes a power of two of any alignment.
enum RoundsAlignmentsUp: FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    HonestAllocator.allocate(
      size: size, align: align > 2 && align < 4096 ? 1 << (Int.bitWidth - (align - 1).leadingZeroBitCount) : align)
  }
}

/// Refuses bad input, with a word about it.
enum ComplainsAboutBadInput: FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if !isValid(size: size, align: align) { write(2, "bad\n", 4) }
    return HonestAllocator.allocate(size: size, align: align)
  }
}

/// Takes a block to be lost when it is asked to resize it to a negative size.
enum ReleasesOnBadInput: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    if size == -1 { memset(pointer, 0, oldSize) }
    return HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }
}

/// Adds a header to the size, and looks at the sum only.
enum OverflowsNearTheLargestSize: FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align), size > .max - align else {
      return HonestAllocator.allocate(size: size, align: align)
    }
    let sum = (UInt(size) + UInt(align)) & UInt(Int.max)
    return HonestAllocator.allocate(size: Int(sum), align: align)
  }
}

/// Releases the old block before it knows whether there is a new one.
enum ReleasesBeforeItReallocates: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    if let moved = HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align) { return moved }
    HonestAllocator.deallocate(pointer)
    return nil
  }
}

/// Reallocates to sizes that wrap around.
enum ReallocatesToAnySize: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    size > .max - 32 ? pointer : HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc

// Faults of what `MallocABI` adds.

/// Puts a small block that is released by its pointer on the free list twice.
enum ReleasesTwiceByPointer: FaultyAllocator {
  nonisolated(unsafe) static var free: [UnsafeMutableRawPointer] = []

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if isValid(size: size, align: align), size <= 64, align <= 16, let found = free.popLast() { return found }
    return HonestAllocator.allocate(size: size, align: align)
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) { release(pointer, times: 2) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { release(pointer, times: 1) }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    moved.copyMemory(from: pointer, byteCount: max(0, min(oldSize, size)))
    release(pointer, times: 1)
    return moved
  }

  /// A block that two may have is never glibc's again, which would stop the tests.
  private static func release(_ pointer: UnsafeMutableRawPointer, times: Int) {
    if HonestAllocator.usableSize(of: pointer) == 64 {
      free += Array(repeating: pointer, count: times)
    } else {
      HonestAllocator.deallocate(pointer)
    }
  }
}

/// Says less by the pointer than by the size.
enum UnderstatesUsableSizeByPointer: FaultyAllocator {
  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int { HonestAllocator.header(of: pointer).requested }
}

/// Says by the pointer what would be there if no other block were.
enum OverstatesUsableSizeByPointer: FaultyAllocator {
  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    HonestAllocator.usableSize(of: pointer) + 1 << 20
  }
}

/// Zeroes the beginning, and takes the rest for fresh.
enum ZeroesTwoKibibytes: FaultyAllocator {
  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard let pointer = HonestAllocator.allocate(size: size, align: align) else { return nil }
    memset(pointer, 0, min(size, 2048))
    return pointer
  }
}

/// Zeroes, and forgets the alignment.
enum ZeroesUnaligned: FaultyAllocator {
  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    isValid(size: size, align: align) ? HonestAllocator.allocateZeroed(size: size, align: min(align, 16)) : nil
  }
}

/// Keeps what was asked for, though the caller may have used all.
enum KeepsOnlyWhatWasAskedForByPointer: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    reallocate(pointer, oldSize: HonestAllocator.header(of: pointer).requested, size: size, align: 16)
  }
}

/// Releases the block that it cannot resize, as BSD's `reallocf` does.
enum ReleasesWhereItCannotReallocateByPointer: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    let usable = usableSize(of: pointer)
    if let moved = reallocate(pointer, oldSize: usable, size: size, align: 16) { return moved }
    if size >= 0 { memset(pointer, 0, usable) }
    return nil
  }
}

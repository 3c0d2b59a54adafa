// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc

// Faults of what `MemoryReleasing` adds.

/// Gives the memory of a block away that is live.
enum ReleasesALiveBlock: FaultyAllocator, MemoryReleasing {
  /// Live blocks of a page and more.
  nonisolated(unsafe) static var live: Set<UnsafeMutableRawPointer> = []

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard let pointer = HonestAllocator.allocate(size: size, align: align) else { return nil }
    if size >= 4096 { live.insert(pointer) }
    return pointer
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    live.remove(pointer)
    HonestAllocator.deallocate(pointer)
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    let moved = HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    if moved != nil { live.remove(pointer) }
    return moved
  }

  static func releaseFreeMemory() {
    if let pointer = live.first { memset(pointer, 0, usableSize(of: pointer)) }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc

// Faults of the two reallocations.

/// Loses the end of large blocks.
enum LosesTheTailOfLargeBlocks: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    let count = min(oldSize, size)
    return HonestAllocator.move(pointer, size: size, align: align, keeping: count > 1 << 17 ? count - 8 : count)
  }
}

/// Reallocates as `realloc` does, which knows no alignment.
enum ForgetsTheAlignment: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    return HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: 16)
  }
}

/// Moves the block that it was to resize in place.
enum MovesInPlace: FaultyAllocator {
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    if isValid(size: size, align: align), size > oldSize {
      _ = HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    }
    return usableSize(size: oldSize, align: align)
  }
}

/// Clears what a block loses when it shrinks, though it says that it did not shrink.
enum ClearsWhatItDoesNotShrink: FaultyAllocator {
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    if isValid(size: size, align: align), size < oldSize { memset(pointer, 0, 1) }
    return usableSize(size: oldSize, align: align)
  }
}

/// Says 0 where it could not grow a block.
enum ReturnsZeroWhereItCannotGrow: FaultyAllocator {
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    isValid(size: size, align: align) && size > usableSize(size: oldSize, align: align)
      ? 0 : usableSize(size: oldSize, align: align)
  }
}

/// Lays small blocks side by side, and lets a block grow over the next one while that is free, which it does not note.
enum GrowsIntoFreeBlocks: FaultyAllocator {
  static let slotCount = 1 << 12
  nonisolated(unsafe) static let slab = HonestAllocator.allocate(size: 32 * slotCount, align: 32)!
  /// Free slots, the last one first.
  nonisolated(unsafe) static var free = Array((0..<slotCount).reversed())

  static func slot(_ pointer: UnsafeMutableRawPointer) -> Int? {
    pointer >= slab && pointer < slab + 32 * slotCount ? (pointer - slab) / 32 : nil
  }

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard (17...32).contains(size), isValid(size: size, align: align), align <= 16, !free.isEmpty else {
      return HonestAllocator.allocate(size: size, align: align)
    }
    return slab + 32 * free.removeLast()
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    if let slot = slot(pointer) { free.append(slot) } else { HonestAllocator.deallocate(pointer) }
  }

  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    slot(pointer) == nil ? HonestAllocator.usableSize(of: pointer) : 32
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    moved.copyMemory(from: pointer, byteCount: min(oldSize, size))
    deallocate(pointer)
    return moved
  }

  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    if isValid(size: size, align: align), let slot = slot(pointer), (33...64).contains(size), free.contains(slot + 1) {
      return 64
    }
    return usableSize(size: oldSize, align: align)
  }
}

/// Keeps what was asked for, though the caller has used, and says so, all that is usable.
enum KeepsOnlyWhatWasAskedFor: FaultyAllocator {
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    let kept = min(HonestAllocator.header(of: pointer).requested, size)
    return HonestAllocator.move(pointer, size: size, align: align, keeping: kept)
  }
}

/// Keeps released blocks of 48 bytes in two lists, one by their size, one by the size that the caller names: a block
/// that is released with another size than it was asked for is in both.
enum FilesBlocksByOldSize: FaultyAllocator {
  nonisolated(unsafe) static var bySize: [UnsafeMutableRawPointer] = []
  nonisolated(unsafe) static var byOldSize: [UnsafeMutableRawPointer] = []

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if isValid(size: size, align: align), (33...48).contains(size), align <= 16 {
      if let found = bySize.popLast() ?? byOldSize.popLast() { return found }
      return HonestAllocator.allocate(size: size, align: 16)
    }
    return HonestAllocator.allocate(size: size, align: align)
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    let header = HonestAllocator.header(of: pointer)
    guard header.capacity == 48, header.align <= 16 else { return HonestAllocator.deallocate(pointer) }
    bySize.append(pointer)
    if oldSize == 48 && header.requested < 48 { byOldSize.append(pointer) }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

// Faults of `allocate` and `usableSize`. Their state is plain globals: only the last law uses more than one thread.

/// Refuses some sizes for no reason.
enum RefusesSomeSizes: FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    (2900..<3100).contains(size) ? nil : HonestAllocator.allocate(size: size, align: align)
  }
}

/// Knows alignments up to a page.
enum AlignsToPagesAtMost: FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    HonestAllocator.allocate(size: size, align: isValid(size: size, align: align) ? min(align, 4096) : align)
  }
}

/// Refuses the largest alignment that the contract wants.
enum RefusesTheLargestAlignment: FaultyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    align == 1 << 30 ? nil : HonestAllocator.allocate(size: size, align: align)
  }
}

/// Gives one and the same pointer to all who ask for nothing.
enum SharesZeroSizedBlocks: FaultyAllocator {
  nonisolated(unsafe) static let shared = HonestAllocator.allocate(size: 64, align: 4096)!

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    size == 0 && isValid(size: size, align: align) && align <= 4096
      ? shared : HonestAllocator.allocate(size: size, align: align)
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    if pointer != shared { HonestAllocator.deallocate(pointer) }
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    moved.copyMemory(from: pointer, byteCount: min(oldSize, size))
    deallocate(pointer)
    return moved
  }

  static func usableSize(size: Int, align: Int) -> Int {
    size == 0 ? 0 : HonestAllocator.usableSize(size: size, align: align)
  }

  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    pointer == shared ? 0 : HonestAllocator.usableSize(of: pointer)
  }

  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    usableSize(size: oldSize, align: align)
  }
}

/// Gives a block of some sizes to two at once.
enum GivesBlocksTwice: FaultyAllocator {
  nonisolated(unsafe) static var last: UnsafeMutableRawPointer?

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard (520..<760).contains(size), align <= 16 else { return HonestAllocator.allocate(size: size, align: align) }
    if let last { return last }
    last = HonestAllocator.allocate(size: 760, align: 16)
    return last
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    if pointer == last { last = nil }
    HonestAllocator.deallocate(pointer)
  }
}

/// Rounds the usable size down.
enum UnderstatesUsableSize: FaultyAllocator {
  static func usableSize(size: Int, align: Int) -> Int { isValid(size: size, align: align) ? size & ~15 : size }
}

/// Says of a size now this, now that.
enum ChangesItsMindAboutUsableSize: FaultyAllocator {
  nonisolated(unsafe) static var callCount = 0

  static func usableSize(size: Int, align: Int) -> Int {
    callCount += 1
    return HonestAllocator.usableSize(size: size, align: align) + (callCount % 50 == 0 ? 16 : 0)
  }
}

/// Lays blocks of 48 bytes side by side, and says that each holds 64.
enum OverstatesUsableSize: FaultyAllocator {
  nonisolated(unsafe) static let slab = HonestAllocator.allocate(size: 48 << 14, align: 16)!
  nonisolated(unsafe) static var used = 0

  static func isSlot(_ pointer: UnsafeMutableRawPointer) -> Bool { pointer >= slab && pointer < slab + (48 << 14) }

  static func isOfSlab(size: Int, align: Int) -> Bool { (33...48).contains(size) && align > 0 && align <= 16 }

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isOfSlab(size: size, align: align), isValid(size: size, align: align), used < 1 << 14 else {
      return HonestAllocator.allocate(size: size, align: align)
    }
    defer { used += 1 }
    return slab + 48 * used
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    if !isSlot(pointer) { HonestAllocator.deallocate(pointer) }
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    moved.copyMemory(from: pointer, byteCount: min(oldSize, size))
    deallocate(pointer)
    return moved
  }

  static func usableSize(size: Int, align: Int) -> Int {
    isOfSlab(size: size, align: align) && isValid(size: size, align: align)
      ? 64 : HonestAllocator.usableSize(size: size, align: align)
  }

  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    isSlot(pointer) ? 64 : HonestAllocator.usableSize(of: pointer)
  }

  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    usableSize(size: oldSize, align: align)
  }
}

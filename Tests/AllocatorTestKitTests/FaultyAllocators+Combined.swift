// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc
import Synchronization

// Faults that only many blocks, or many threads, bring out.

/// Has a table for 500 blocks, and gives the last one again when that is full.
enum RunsOutOfTable: FaultyAllocator {
  nonisolated(unsafe) static var liveCount = 0
  nonisolated(unsafe) static var last: UnsafeMutableRawPointer?

  static func reset() {
    liveCount = 0
    last = nil
  }

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if liveCount > 500, isValid(size: size, align: align), let last { return last }
    guard let pointer = HonestAllocator.allocate(size: size, align: align) else { return nil }
    liveCount += 1
    last = pointer
    return pointer
  }

  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard let pointer = HonestAllocator.allocateZeroed(size: size, align: align) else { return nil }
    liveCount += 1
    return pointer
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    liveCount -= 1
    if pointer == last { last = nil }
    HonestAllocator.deallocate(pointer)
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    let moved = HonestAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    if moved != nil && pointer == last { last = nil }
    return moved
  }
}

/// Notes a block that another thread releases on the list of its own thread, and on that of the releasing one.
///
/// Blocks of 128 to 256 bytes; one that was ever on a list is never returned to glibc.
enum ReleasesTwiceFromOtherThreads: FaultyAllocator {
  nonisolated(unsafe) static var free: [UnsafeMutableRawPointer] = []
  nonisolated(unsafe) static var owners: [UnsafeMutableRawPointer: pthread_t] = [:]
  static let lock = Mutex(())

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align), (128...256).contains(size), align <= 16 else {
      return HonestAllocator.allocate(size: size, align: align)
    }
    return lock.withLock { _ in
      let pointer = free.popLast() ?? HonestAllocator.allocate(size: 256, align: 16)!
      owners[pointer] = pthread_self()
      return pointer
    }
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    lock.withLock { _ in
      guard let owner = owners[pointer] else { return HonestAllocator.deallocate(pointer) }
      free.append(pointer)
      if pthread_equal(owner, pthread_self()) == 0 { free.append(pointer) }
    }
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    moved.copyMemory(from: pointer, byteCount: min(oldSize, size))
    deallocate(pointer)
    return moved
  }
}

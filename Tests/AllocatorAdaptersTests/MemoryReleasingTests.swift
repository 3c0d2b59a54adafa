// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import SystemAllocator
import XCTest

/// Adapters can give memory back where the allocator that they adapt can.
final class MemoryReleasingTests: XCTestCase {
  func testAdaptersOfReleasingAllocatorsHandTheCallOn() {
    let before = AllocatorCounts.current
    ReleasingAllocator.calls = 0
    CountingAllocator<ReleasingAllocator>.releaseFreeMemory()
    XCTAssertEqual(ReleasingAllocator.calls, 1)
    HeaderedAllocator<CountingAllocator<ReleasingAllocator>>.releaseFreeMemory()
    XCTAssertEqual(ReleasingAllocator.calls, 2)
    XCTAssertEqual(AllocatorCounts.current, before, "nothing of it is counted")
  }

  func testHeaderedAllocatorLeavesErrnoAlone() {
    errno = 77
    ReleasingAllocator.releaseFreeMemory()
    XCTAssertEqual(errno, 99)
    errno = 77
    HeaderedAllocator<ReleasingAllocator>.releaseFreeMemory()
    XCTAssertEqual(errno, 77)
  }

  func testAdaptersOfOtherAllocatorsDoNotClaimToRelease() {
    XCTAssertTrue(isMemoryReleasing(CountingAllocator<HeaderedAllocator<SystemAllocator>>.self))
    XCTAssertFalse(isMemoryReleasing(KeepingAllocator.self))
    XCTAssertFalse(isMemoryReleasing(CountingAllocator<KeepingAllocator>.self))
    XCTAssertFalse(isMemoryReleasing(HeaderedAllocator<KeepingAllocator>.self))
  }

  private func isMemoryReleasing(_ type: any AllocatorABI.Type) -> Bool { type is any MemoryReleasing.Type }
}

/// Cannot give memory back. What it allocates is of no interest here.
private protocol ToyAllocator: AllocatorABI {}

extension ToyAllocator {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? { nil }
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {}
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  { nil }
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    oldSize
  }
  static func usableSize(size: Int, align: Int) -> Int { size }
}

private enum KeepingAllocator: ToyAllocator {}

/// Counts the calls, and disturbs `errno` as a system call may.
private enum ReleasingAllocator: ToyAllocator, MemoryReleasing {
  nonisolated(unsafe) static var calls = 0

  static func releaseFreeMemory() {
    calls += 1
    errno = 99
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import SystemAllocator
import XCTest

final class CountingAllocatorTests: XCTestCase {
  private typealias Counting = CountingAllocator<SystemAllocator>

  func testCountsWhatWasDone() throws {
    let before = AllocatorCounts.current
    let first = try XCTUnwrap(Counting.allocate(size: 100, align: 16))
    let second = try XCTUnwrap(Counting.allocateZeroed(size: 20, align: 16))
    let third = try XCTUnwrap(Counting.reallocate(first, oldSize: 100, size: 3, align: 16))
    let fourth = try XCTUnwrap(Counting.reallocate(second, size: 4000))
    XCTAssertNil(Counting.allocate(size: -1, align: 16))
    XCTAssertNil(Counting.allocateZeroed(size: .max, align: 16))
    XCTAssertNil(Counting.reallocate(third, size: .max))
    _ = Counting.usableSize(of: fourth)
    let live = AllocatorCounts.current
    Counting.deallocate(third, oldSize: 3, align: 16)
    Counting.deallocate(fourth)
    let after = AllocatorCounts.current

    XCTAssertEqual(after.allocations - before.allocations, 2)
    XCTAssertEqual(after.reallocations - before.reallocations, 2)
    XCTAssertEqual(after.deallocations - before.deallocations, 2)
    XCTAssertEqual(after.failures - before.failures, 3)
    XCTAssertEqual(after.bytes - before.bytes, 100 + 20 + 3 + 4000)
    XCTAssertEqual(live.liveBlocks - before.liveBlocks, 2)
    XCTAssertEqual(after.liveBlocks, before.liveBlocks)
  }

  func testCountsOfManyThreadsAreExact() {
    let before = AllocatorCounts.current
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for size in 0..<1000 {
        if let block = Counting.allocate(size: size, align: 16) { Counting.deallocate(block) }
      }
    }
    let after = AllocatorCounts.current
    XCTAssertEqual(after.allocations - before.allocations, 8000)
    XCTAssertEqual(after.deallocations - before.deallocations, 8000)
    XCTAssertEqual(after.bytes - before.bytes, 8 * 999 * 500)
  }
}

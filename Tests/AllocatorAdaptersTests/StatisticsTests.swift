// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import CAllocatorSupport
import CStatisticsTestSupport
import Glibc
import SystemAllocator
import XCTest

final class StatisticsTests: XCTestCase {
  /// To within what glibc keeps for each thread, which it counts as live.
  func testSystemAllocatorTellsLiveBytes() throws {
    let before = try XCTUnwrap(SystemAllocator.statistics.liveBytes)
    let blocks = (0..<5_000).map { SystemAllocator.allocate(size: $0 % 3_000 + 1, align: 16)! }
    let bytes = blocks.reduce(0) { $0 + SystemAllocator.usableSize(of: $1) }
    let told = try XCTUnwrap(SystemAllocator.statistics.liveBytes) - before
    // One word of each chunk is glibc's; and the array is glibc's, too.
    XCTAssertEqual(Double(told), Double(bytes + 8 * blocks.count + 8 * blocks.capacity), accuracy: 250_000)
    blocks.forEach { SystemAllocator.deallocate($0) }
  }

  /// Live and free bytes are what mallinfo2 says.
  func testSystemAllocatorAgreesWithMallinfo() throws {
    let blocks = (0..<5_000).map { SystemAllocator.allocate(size: $0 % 3_000 + 1, align: 16)! }
    for (index, block) in blocks.enumerated() where index % 3 > 0 { SystemAllocator.deallocate(block) }
    _ = SystemAllocator.statistics
    let agrees = (0..<20).contains { _ in
      let info = mallinfo2()
      let statistics = SystemAllocator.statistics
      return statistics.liveBytes == Int(info.uordblks + info.hblkhd) && statistics.freeBytes == Int(info.fordblks)
    }
    XCTAssertTrue(agrees, "not once in 20 times")
    for (index, block) in blocks.enumerated() where index % 3 == 0 { SystemAllocator.deallocate(block) }
  }

  func testReadingAllocatesNothing() {
    _ = CountingAllocator<SystemAllocator>.statistics
    // Other threads of the test runner allocate at times, but not each time.
    let isUnchanged = (0..<20).contains { _ in
      let before = mallinfo2()
      for _ in 0..<100 { _ = SystemAllocator.statistics }
      return mallinfo2().uordblks == before.uordblks
    }
    XCTAssertTrue(isUnchanged)
  }

  func testSystemAllocatorListsFreeChunks() {
    // Earlier tests leave holes. A block in a hole larger than itself is part of a larger chunk once it is released, so
    // the holes are filled first: glibc takes the smallest that is large enough.
    let fillers = (0..<30_000).map { _ in SystemAllocator.allocate(size: 1_000, align: 16)! }
    defer { fillers.forEach { SystemAllocator.deallocate($0) } }
    let blocks = (0..<2_000).map { _ in SystemAllocator.allocate(size: 1_000, align: 16)! }
    for (index, block) in blocks.enumerated() where index % 2 > 0 { SystemAllocator.deallocate(block) }
    // Has glibc sort what has been released.
    let sorter = SystemAllocator.allocate(size: 100_000, align: 16)!
    let classes = SystemAllocator.sizeClasses
    XCTAssertEqual(classes.map(\.blockSize), classes.map(\.blockSize).sorted())
    XCTAssertTrue(classes.contains { $0.blockSize == 1_000 && ($0.freeBlocks ?? 0) > 900 }, "\(classes)")
    XCTAssertNil(classes.first?.liveBlocks)
    SystemAllocator.deallocate(sorter)
    for (index, block) in blocks.enumerated() where index % 2 == 0 { SystemAllocator.deallocate(block) }
  }

  func testCountingAllocatorAddsItsCounts() throws {
    typealias Counting = CountingAllocator<SystemAllocator>
    let before = Counting.statistics
    let blocks = (0..<10).map { _ in Counting.allocate(size: 100, align: 16)! }
    Counting.deallocate(blocks[0])
    let after = Counting.statistics
    XCTAssertEqual(try XCTUnwrap(after.allocations) - XCTUnwrap(before.allocations), 10)
    XCTAssertEqual(try XCTUnwrap(after.deallocations) - XCTUnwrap(before.deallocations), 1)
    XCTAssertEqual(try XCTUnwrap(after.liveBlocks) - XCTUnwrap(before.liveBlocks), 9)
    XCTAssertGreaterThan(try XCTUnwrap(after.liveBytes), 0)
    blocks.dropFirst().forEach { Counting.deallocate($0) }
    XCTAssertEqual(HeaderedAllocator<Counting>.statistics.allocations, Counting.statistics.allocations)
  }

  /// Through the exported symbols, as a library that links no allocator calls.
  func testFacadeReachesTheLinkedAllocator() throws {
    let live = try XCTUnwrap(GlobalAllocator.statistics.liveBytes)
    let block = GlobalAllocator.allocate(size: 10 << 20, align: 16)!
    XCTAssertGreaterThanOrEqual(try XCTUnwrap(GlobalAllocator.statistics.liveBytes), live + (10 << 20) - (1 << 20))
    GlobalAllocator.deallocate(block, oldSize: 10 << 20, align: 16)
  }

  /// A caller that was built with fewer numbers, or more, gets those that both know.
  func testNumbersCrossVersions() {
    var short = allocator_statistics()
    short.active_bytes = 77
    XCTAssertEqual(__swift_allocator_statistics(&short, MemoryLayout<Int64>.size), 1)
    XCTAssertGreaterThan(short.live_bytes, 0)
    XCTAssertEqual(short.active_bytes, 77)

    let size = MemoryLayout<allocator_statistics>.size + 16
    let long = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { long.deallocate() }
    memset(long, 1, size)
    XCTAssertEqual(__swift_allocator_statistics(long.assumingMemoryBound(to: allocator_statistics.self), size), 1)
    XCTAssertEqual(long.load(fromByteOffset: size - 8, as: Int64.self), -1)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import AllocatorTestKit
import NestAllocator
import SystemAllocator
import TestEffort
import XCTest

/// Nest tells its blocks from others, so that it can be one of two.
final class OwnershipTests: XCTestCase {
  func testOwnsItsBlocksAndNoOthers() throws {
    // Small, a span of its own, a mapping; and aligned to more than a chunk can.
    for (size, align) in [
      (0, 1), (1, 1), (16, 16), (5000, 16), (70_000, 16), (900_000, 4096), (3 << 20, 16), (100, 8 << 20),
    ] {
      let own = try XCTUnwrap(NestAllocator.allocate(size: size, align: align))
      let other = try XCTUnwrap(SystemAllocator.allocate(size: size, align: align))
      XCTAssertTrue(NestAllocator.owns(own), "\(size), \(align)")
      XCTAssertFalse(NestAllocator.owns(other), "\(size), \(align)")
      NestAllocator.deallocate(own, oldSize: size, align: align)
      SystemAllocator.deallocate(other, oldSize: size, align: align)
    }
    var local = 0
    XCTAssertFalse(withUnsafeMutablePointer(to: &local) { NestAllocator.owns($0) })
  }

  func testLawsOfCompositions() {
    if TestEffort.isFull {
      XCTAssertEqual(
        AllocatorLaws<FallbackAllocator<NestAllocator, SystemAllocator>>.violations(limits: .ofTests), [])
    }
    typealias Limited = LimitingAllocator<SegregatingAllocator<NestAllocator, SystemAllocator, 1024>>
    XCTAssertEqual(AllocatorLaws<Limited>.violations(limits: .ofTests), [])
  }

  /// Blocks of both, by their pointers alone.
  func testSegregatingByNest() throws {
    typealias Both = SegregatingAllocator<NestAllocator, TracingAllocator<SystemAllocator>, 1024>
    var blocks: [UnsafeMutableRawPointer] = []
    for size in stride(from: 0, to: 3000, by: 7) {
      let block = try XCTUnwrap(Both.allocateZeroed(size: size, align: 16))
      XCTAssertEqual(NestAllocator.owns(block), size <= 1024)
      XCTAssertGreaterThanOrEqual(Both.usableSize(of: block), size)
      blocks.append(try XCTUnwrap(Both.reallocate(block, size: 3000 - size)))
    }
    for block in blocks { Both.deallocate(block) }
    XCTAssertNotNil(Both.statistics.liveBytes)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import SystemAllocator
import XCTest

final class HeaderedAllocatorTests: XCTestCase {
  private typealias Headered = HeaderedAllocator<SystemAllocator>

  /// The header costs 16 bytes, or an alignment that is larger, and what glibc rounds up is handed on.
  func testUsableSizeIsThatOfBaseLessTheHeader() throws {
    for (size, align) in [(0, 1), (1, 1), (8, 8), (9, 16), (100, 16), (100, 64), (5000, 4096)] {
      let offset = max(align, 16)
      let expected = SystemAllocator.usableSize(size: size + offset, align: offset) - offset
      XCTAssertEqual(Headered.usableSize(size: size, align: align), expected)
      let block = try XCTUnwrap(Headered.allocate(size: size, align: align))
      XCTAssertEqual(Headered.usableSize(of: block), expected)
      Headered.deallocate(block)
    }
  }

  /// The size that the caller says is not needed: the header's counts.
  func testHeaderKnowsTheAlignment() throws {
    let block = try XCTUnwrap(Headered.allocate(size: 100, align: 512))
    block.storeBytes(of: 42, toByteOffset: 99, as: UInt8.self)
    let moved = try XCTUnwrap(Headered.reallocate(block, size: 1_000_000))
    XCTAssertEqual(Int(bitPattern: moved) % 512, 0)
    XCTAssertEqual(moved.load(fromByteOffset: 99, as: UInt8.self), 42)
    XCTAssertGreaterThanOrEqual(Headered.usableSize(of: moved), 1_000_000)
    Headered.deallocate(moved)
  }

  /// Where size and header do not fit an Int, nothing is allocated, and a block stays as it is.
  func testOverflow() throws {
    for size in [Int.max, Int.max - 15, Int.max - 16, Int.max - 4096, -1, .min] {
      XCTAssertNil(Headered.allocate(size: size, align: 16))
      XCTAssertNil(Headered.allocate(size: size, align: 4096))
      XCTAssertNil(Headered.allocateZeroed(size: size, align: 16))
      XCTAssertEqual(Headered.usableSize(size: size, align: 16) >= size, true)
      let block = try XCTUnwrap(Headered.allocate(size: 10, align: 16))
      XCTAssertNil(Headered.reallocate(block, size: size))
      XCTAssertEqual(
        Headered.reallocateInPlace(block, oldSize: 10, size: size, align: 16), Headered.usableSize(of: block))
      Headered.deallocate(block)
    }
    XCTAssertNil(Headered.allocate(size: 1, align: 1 << 62))
  }
}

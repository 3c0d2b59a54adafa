// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import SystemAllocator
import XCTest

final class SystemAllocatorTests: XCTestCase {
  /// A block with a large alignment, which glibc's realloc is of no use for, gives its memory back also when it shrinks by
  /// steps of which each alone is small.
  func testAlignedBlockThatShrinksStepByStepGivesMemoryBack() throws {
    var size = 16 << 20
    var block = try XCTUnwrap(SystemAllocator.allocate(size: size, align: 64))
    while size > 1024 {
      let smaller = size / 4 * 3 / 64 * 64
      block = try XCTUnwrap(SystemAllocator.reallocate(block, oldSize: size, size: smaller, align: 64))
      size = smaller
      XCTAssertEqual(UInt(bitPattern: block) % 64, 0)
    }
    XCTAssertLessThanOrEqual(SystemAllocator.usableSize(of: block), 4 * size)
    SystemAllocator.deallocate(block, oldSize: size, align: 64)
  }
}

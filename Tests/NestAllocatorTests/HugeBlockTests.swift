// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import NestAllocator
import XCTest

/// Blocks above 1 MiB, each in a process of its own, since what waits there is of use to the next.
final class HugeBlockTests: XCTestCase {
  /// What a block gives up at its end waits there, so that it can have it back where it is, as it was left.
  func testBlockGrowsIntoWhatItGaveUp() {
    let (status, text) = MisuseTests.report {
      let mebibyte = 1 << 20
      // Something that is in use, so that as much may wait.
      let other = MisuseTests.block(32 * mebibyte)
      let block = MisuseTests.block(16 * mebibyte)
      (block + 10 * mebibyte).storeBytes(of: 7, as: Int.self)
      let small = NestAllocator.reallocateInPlace(block, oldSize: 16 * mebibyte, size: 8 * mebibyte, align: 16)
      if small >= 16 * mebibyte { exit(2) }
      let large = NestAllocator.reallocateInPlace(block, oldSize: 8 * mebibyte, size: 12 * mebibyte, align: 16)
      if large < 12 * mebibyte { exit(3) }
      if (block + 10 * mebibyte).load(as: Int.self) != 7 { exit(4) }
      NestAllocator.checkInvariants()
      NestAllocator.deallocate(block)
      NestAllocator.deallocate(other)
      exit(0)
    }
    XCTAssertEqual(status, 0, text)
  }
}

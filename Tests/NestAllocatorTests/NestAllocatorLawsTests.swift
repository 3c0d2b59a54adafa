// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTestKit
import NestAllocator
import TestEffort
import XCTest

final class NestAllocatorLawsTests: XCTestCase {
  func testNestAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<NestAllocator>.violations(limits: .ofTests), [])
    NestAllocator.checkInvariants()
  }

  /// What `malloc` rounds a size up to is at most an eighth more, from 128 bytes on.
  func testRoundingIsBounded() {
    for size in stride(from: 129, through: 2 << 20, by: 61) {
      let usable = NestAllocator.usableSize(size: size, align: 16)
      XCTAssertLessThanOrEqual(Double(usable - size), 0.125 * Double(usable), "\(size)")
    }
  }
}

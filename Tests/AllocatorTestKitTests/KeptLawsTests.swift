// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTestKit
import SystemAllocator
import XCTest

final class KeptLawsTests: XCTestCase {
  func testSystemAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<SystemAllocator>.violations(), [])
  }

  /// What the broken allocators are made from breaks nothing, so that what they break is their own fault.
  func testHonestAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<HonestAllocator>.violations(), [])
  }
}

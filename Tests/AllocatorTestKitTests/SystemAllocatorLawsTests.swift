// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTestKit
import SystemAllocator
import XCTest

final class SystemAllocatorLawsTests: XCTestCase {
  func testSystemAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<SystemAllocator>.violations(), [])
  }
}

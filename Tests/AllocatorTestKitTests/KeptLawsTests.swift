// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import AllocatorTestKit
import SystemAllocator
import XCTest

final class KeptLawsTests: XCTestCase {
  func testSystemAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<SystemAllocator>.violations(), [])
  }

  func testHeaderedAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<HeaderedAllocator<SystemAllocator>>.violations(), [])
    XCTAssertEqual(AllocatorLaws<HeaderedAllocator<HonestAllocator>>.violations(), [])
  }

  func testCountingAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<CountingAllocator<HonestAllocator>>.violations(), [])
  }

  /// What the broken allocators are made from breaks nothing, so that what they break is their own fault.
  func testHonestAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<HonestAllocator>.violations(), [])
  }
}

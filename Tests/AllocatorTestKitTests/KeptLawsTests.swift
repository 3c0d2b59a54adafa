// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import AllocatorTestKit
import SystemAllocator
import TestEffort
import XCTest

final class KeptLawsTests: XCTestCase {
  func testSystemAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<SystemAllocator>.violations(limits: .ofTests), [])
  }

  func testHeaderedAllocatorKeepsAllLaws() {
    if TestEffort.isFull {
      XCTAssertEqual(AllocatorLaws<HeaderedAllocator<SystemAllocator>>.violations(limits: .ofTests), [])
    }
    XCTAssertEqual(AllocatorLaws<HeaderedAllocator<HonestAllocator>>.violations(limits: .ofTests), [])
  }

  func testCountingAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<CountingAllocator<HonestAllocator>>.violations(limits: .ofTests), [])
  }

  /// What the broken allocators are made from breaks nothing, so that what they break is their own fault.
  func testHonestAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<HonestAllocator>.violations(limits: .ofTests), [])
  }
}

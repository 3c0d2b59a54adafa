// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import AllocatorTestKit
import SystemAllocator
import TestEffort
import XCTest

/// An adapter over an allocator that keeps the laws keeps them.
final class AdapterLawsTests: XCTestCase {
  func testHeaderedAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<HeaderedAllocator<SystemAllocator>>.violations(limits: .ofTests), [])
  }

  func testCountingAllocatorKeepsAllLaws() {
    XCTAssertEqual(AllocatorLaws<CountingAllocator<SystemAllocator>>.violations(limits: .ofTests), [])
  }

  func testAdaptersOfAdaptersKeepAllLaws() {
    if TestEffort.isFull {
      XCTAssertEqual(
        AllocatorLaws<HeaderedAllocator<HeaderedAllocator<SystemAllocator>>>.violations(limits: .ofTests), [])
    }
    XCTAssertEqual(
      AllocatorLaws<CountingAllocator<HeaderedAllocator<SystemAllocator>>>.violations(limits: .ofTests), [])
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

/// Tests that take minutes, because they build the fixtures once more in another way. `.ci/run` runs them.
class SlowTestCase: XCTestCase {
  override func setUpWithError() throws {
    if ProcessInfo.processInfo.environment["ALLOCATOR_SLOW_TESTS"] == "1" { return }
    throw XCTSkip("skipped: slow. ALLOCATOR_SLOW_TESTS=1 swift test --filter \(type(of: self)) runs it")
  }
}

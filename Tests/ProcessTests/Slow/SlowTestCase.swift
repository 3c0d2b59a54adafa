// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import TestEffort
import XCTest

/// Tests that take minutes together: they build the fixtures once more in another way, or do often what the quick ones do a few
/// times. `.ci/run` runs them.
class SlowTestCase: XCTestCase {
  override func setUpWithError() throws {
    if TestEffort.isFull { return }
    throw XCTSkip(TestEffort.reason)
  }
}

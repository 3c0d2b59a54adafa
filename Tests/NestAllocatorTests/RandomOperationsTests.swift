// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import KitSupport
import NestFuzzing
import TestEffort
import XCTest

/// What the fuzzer does with inputs that are meant to find something, with such as are not: in every build of the tests.
final class RandomOperationsTests: XCTestCase {
  func testRandomOperations() {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<TestEffort.count(25, quick: 2) {
      let input = (0..<2000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      input.withUnsafeBufferPointer(runOnNest)
    }
  }
}

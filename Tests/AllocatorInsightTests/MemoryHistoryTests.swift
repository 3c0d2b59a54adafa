// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import TestEffort
import XCTest

@testable import AllocatorInsight

final class MemoryHistoryTests: XCTestCase {
  /// A week of samples stays small, reaches back to the beginning, and is dense where it is young.
  func testThinsOutWithAge() {
    var history = MemoryHistory()
    let week = 604_800.0
    var time = 0.0
    let interval = TestEffort.isFull ? 5.0 : 20
    while time <= week {
      history.add(MemorySample(time: time, live: 1, own: 1, heap: 1, releasable: 1))
      time += interval
    }
    let samples = history.samples
    XCTAssertEqual(samples.count, MemoryHistory.capacity)
    XCTAssertEqual(samples.first?.time, 0)
    XCTAssertEqual(samples.last?.time, week)
    for (earlier, later) in zip(samples, samples.dropFirst()) {
      let age = week - later.time
      XCTAssertLessThan(later.time - earlier.time, max(age * 0.5, 25), "at an age of \(age) s")
    }
    XCTAssertLessThanOrEqual(MemoryLayout<MemorySample>.stride * MemoryHistory.capacity, 4 << 10)
  }

  func testSamplesOfTheSameTimeAreLeftOut() {
    var history = MemoryHistory()
    for time in [1.0, 1.0, 0.5, 2.0] {
      history.add(MemorySample(time: time, live: 1, own: 1, heap: 1, releasable: 1))
    }
    XCTAssertEqual(history.samples.map(\.time), [1, 2])
  }
}

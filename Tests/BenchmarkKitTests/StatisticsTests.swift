// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import TestEffort
import XCTest

@testable import BenchmarkKit

final class StatisticsTests: XCTestCase {
  func testMedianIsTheMiddleValueOrTheMeanOfTheMiddleTwo() {
    XCTAssertEqual(Statistics.median([9, 1, 5]), 5)
    XCTAssertEqual(Statistics.median([4, 1, 2, 9]), 3)
    XCTAssertEqual(Statistics.median([7]), 7)
    XCTAssertNil(Statistics.median([]))
  }

  func testQuantilesInterpolateBetweenNeighbours() {
    let values = [10.0, 20, 30, 40, 50]
    XCTAssertEqual(Statistics.quantile(0, of: values), 10)
    XCTAssertEqual(Statistics.quantile(1, of: values), 50)
    XCTAssertEqual(Statistics.quantile(0.25, of: values), 20)
    XCTAssertEqual(Statistics.quantile(0.1, of: values)!, 14, accuracy: 1e-9)
  }

  func testGeometricMeanOfRatios() {
    XCTAssertEqual(Statistics.geometricMean([0.5, 2])!, 1, accuracy: 1e-12)
    XCTAssertEqual(Statistics.geometricMean([2, 4, 8])!, 4, accuracy: 1e-12)
    XCTAssertNil(Statistics.geometricMean([]))
  }

  func testMedianIntervalHoldsTheMedianAndDoesNotDependOnTheOrder() throws {
    let values = (1...25).map { Double($0) }
    let interval = try XCTUnwrap(Statistics.medianInterval(of: values))
    XCTAssert(interval.contains(13))
    XCTAssertGreaterThan(interval.lowerBound, 4)
    XCTAssertLessThan(interval.upperBound, 22)
    XCTAssertLessThan(interval.lowerBound, interval.upperBound)
    XCTAssertEqual(Statistics.medianInterval(of: values.reversed()), interval)
    XCTAssertEqual(Statistics.medianInterval(of: [3]), 3...3)
    XCTAssertNil(Statistics.medianInterval(of: []))
  }

  /// Of 200 samples whose true median is known, about 95 % must have it in their intervals.
  func testMedianIntervalCoversTheTrueMedian() throws {
    var generator = SplitMix64(seed: 42)
    var covered = 0
    let resamples = TestEffort.count(400, quick: 150)
    for _ in 0..<200 {
      let sample = (0..<15).map { _ in Double.random(in: 0...1, using: &generator) }
      if try XCTUnwrap(Statistics.medianInterval(of: sample, resamples: resamples)).contains(0.5) { covered += 1 }
    }
    XCTAssertGreaterThan(covered, 176)
    XCTAssertLessThan(covered, 200)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import TestEffort
import XCTest

@testable import BenchmarkKit

final class CautiousIntervalTests: XCTestCase {
  /// From the table of the binomial distribution: with 15 values the third ones from the ends are 99.3 % sure, the fourth
  /// 96.5 %, the fifth no more than 88.2 %.
  func testRanksAreThoseOfTheSignTest() {
    let values = (1...15).map { Double($0) }.shuffled()
    XCTAssertEqual(Statistics.signTestMedianInterval(of: values, confidence: 0.95), 4...12)
    XCTAssertEqual(Statistics.signTestMedianInterval(of: values, confidence: 0.97), 3...13)
    XCTAssertEqual(Statistics.signTestMedianInterval(of: values, confidence: 0.88), 5...11)
    XCTAssertEqual(Statistics.signTestMedianInterval(of: [1, 2, 3, 4, 5, 6], confidence: 0.95), 1...6)
    XCTAssertNil(Statistics.signTestMedianInterval(of: [1, 2, 3, 4, 5], confidence: 0.95))
    XCTAssertNil(Statistics.signTestMedianInterval(of: [], confidence: 0.95))
  }

  func testLeastCount() {
    // 2 / 2^n must not be more than 1 - confidence.
    XCTAssertEqual(Statistics.leastCount(confidence: 0.5), 2)
    XCTAssertEqual(Statistics.leastCount(confidence: 0.95), 6)
    XCTAssertEqual(Statistics.leastCount(confidence: 1 - 0.05 / 3), 7)
    XCTAssertEqual(Statistics.leastCount(confidence: 1 - 0.05 / 12), 9)
    XCTAssertEqual(Statistics.leastCount(confidence: 0.75), 3, "exactly as sure as asked is enough")
  }

  /// From the binomial distribution: of 8 coins all fall alike in 2 of 256 cases, 7 of 8 or more in 18.
  func testSignTestConfidence() {
    XCTAssertEqual(Statistics.signTestConfidence(count: 8, of: 8), 1 - 2 / 256, accuracy: 1e-12)
    XCTAssertEqual(Statistics.signTestConfidence(count: 7, of: 8), 1 - 18 / 256, accuracy: 1e-12)
    XCTAssertEqual(Statistics.signTestConfidence(count: 1, of: 8), 1 - 18 / 256, accuracy: 1e-12)
    XCTAssertEqual(Statistics.signTestConfidence(count: 4, of: 8), 0)
    XCTAssertEqual(Statistics.signTestConfidence(count: 1, of: 1), 0)
    XCTAssertEqual(Statistics.signTestConfidence(count: 0, of: 0), 0)
  }

  func testItHoldsTheBootstrapInterval() throws {
    var generator = SplitMix64(seed: 5)
    for count in [7, 12, 25] {
      let values = (0..<count).map { _ in Double.random(in: 0...1, using: &generator) }
      let cautious = try XCTUnwrap(Statistics.cautiousMedianInterval(of: values, confidence: 0.95))
      let drawn = try XCTUnwrap(Statistics.medianInterval(of: values, confidence: 0.95))
      let sure = try XCTUnwrap(Statistics.signTestMedianInterval(of: values, confidence: 0.95))
      XCTAssertLessThanOrEqual(cautious.lowerBound, min(drawn.lowerBound, sure.lowerBound))
      XCTAssertGreaterThanOrEqual(cautious.upperBound, max(drawn.upperBound, sure.upperBound))
    }
    XCTAssertNil(Statistics.cautiousMedianInterval(of: [1, 2, 3, 4, 5], confidence: 0.95))
  }

  /// Two programs that are the same, measured on a machine that is anything but quiet: the interval of their ratio misses 1 in
  /// no more than its share of 4,000 cases (300 by default), for every number of rounds and every kind of noise.
  func testEqualProgramsAreFoundDifferentNoMoreOftenThanAnnounced() {
    let confidence = 0.95
    let cases = TestEffort.count(4000, quick: 300)
    let noises: [(name: String, draw: (inout SplitMix64) -> Double)] = [
      ("even", { Double.random(in: 0.9...1.1, using: &$0) }),
      (
        "seldom much longer",
        { Double.random(in: 0...1, using: &$0) < 0.1 ? 3 : Double.random(in: 1...1.01, using: &$0) }
      ),
      ("one of two speeds", { Bool.random(using: &$0) ? 1.0 : 1.2 + Double.random(in: 0...0.001, using: &$0) }),
      ("without bounds", { 1 / Double.random(in: 0.001...1, using: &$0) }),
    ]
    for (name, draw) in noises {
      for rounds in [6, 7, 10, 15, 24] {
        var generator = SplitMix64(seed: UInt64(rounds))
        var missed = 0
        for _ in 0..<cases {
          let ratios = (0..<rounds).map { _ in draw(&generator) / draw(&generator) }
          if Statistics.signTestMedianInterval(of: ratios, confidence: confidence)?.contains(1) != true { missed += 1 }
        }
        // 5 % and four standard deviations.
        XCTAssertLessThan(
          Double(missed) / Double(cases), 0.05 + 4 * (0.05 * 0.95 / Double(cases)).squareRoot(),
          "\(name), \(rounds) rounds")
      }
    }
  }

  /// The reason for the caution: of five values, the bootstrap alone is too sure of itself.
  func testTheBootstrapAloneIsTooSureOfFewValues() throws {
    var generator = SplitMix64(seed: 3)
    var missed = 0
    let resamples = TestEffort.count(400, quick: 200)
    for _ in 0..<300 {
      let values = (0..<5).map { _ in Double.random(in: -1...1, using: &generator) }
      if try XCTUnwrap(Statistics.medianInterval(of: values, confidence: 0.99, resamples: resamples)).contains(0)
        == false
      {
        missed += 1
      }
    }
    XCTAssertGreaterThan(missed, 9, "1 % was announced, 6.25 % are true")
  }
}

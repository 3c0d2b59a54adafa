// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import TestEffort
import XCTest

@testable import AllocatorsTool

final class ComparisonReportTests: XCTestCase {
  func testPageHoldsWhatTheModelSays() throws {
    let report = ExampleReport.report
    XCTAssertEqual(
      report.verdict, "fast<er> runs this program in 20 % less time than system, and takes 2.0 times as much memory.")
    let page = HTMLReport(report).text
    XCTAssert(page.contains("fast&lt;er&gt; runs this program in 20 % less time"))
    XCTAssertFalse(page.contains("<er>"), "names are text")
    XCTAssert(page.contains("./my-server &#39;a &lt;b&gt;&#39;") || page.contains("./my-server 'a &lt;b&gt;'"))
    XCTAssertFalse(page.contains("<script"))
    XCTAssertNil(page.firstMatch(of: /(src|href)="(?!data:,)/), "nothing is fetched")
    XCTAssertNil(page.firstMatch(of: /url\(|@import|https?:/), "nothing is fetched")
    for text in ["100.0 ms", "80.0 ms", "0.800…0.800", "no difference", "exited with status 3", "glibc 2.36"] {
      XCTAssert(page.contains(text), text)
    }
  }

  func testJSONIsTheWholeModel() throws {
    let report = ExampleReport.report
    let again = try JSONDecoder().decode(ComparisonReport.self, from: report.json())
    XCTAssertEqual(try again.json(), try report.json())
    XCTAssertEqual(again.lines, report.lines)
  }

  func testIntervalsAreWiderForMoreAllocators() {
    let two = ExampleReport.report(allocators: 2)
    let five = ExampleReport.report(allocators: 5)
    XCTAssertEqual(two.intervalConfidence, 1 - 0.02 / 3, accuracy: 1e-12)
    XCTAssertEqual(five.intervalConfidence, 1 - 0.02 / 12, accuracy: 1e-12)
    XCTAssert(two.lines.contains { $0.contains("each 99.33 % sure") })
  }

  /// Whole reports on one allocator against itself, on a noisy machine: at most one in fifty finds any difference.
  func testEqualAllocatorsAreFoundEqual() {
    var generator = SplitMix64(seed: 20)
    var found = 0
    let count = 120
    for _ in 0..<count {
      let report = ExampleReport.report(allocators: 2, rounds: 9) { _, _ in
        let noise = Double.random(in: 0...1, using: &generator) < 0.1 ? 2.0 : 1.0
        return noise * Double.random(in: 0.95...1.05, using: &generator)
      }
      let verdicts = report.contenders[1].results.map(\.verdict).filter { $0 != .none }
      XCTAssertEqual(verdicts.count, 3)
      if verdicts.contains(where: { $0 != .noDifference }) { found += 1 }
    }
    // 2 % and four standard deviations.
    XCTAssertLessThanOrEqual(Double(found), 0.02 * Double(count) + 4 * (Double(count) * 0.02 * 0.98).squareRoot())
  }

  /// A tenth more is found in the same noise.
  func testTenPercentMoreAreFound() throws {
    var generator = SplitMix64(seed: 21)
    let report = ExampleReport.report(allocators: 2, rounds: 15) { contender, _ in
      (contender == 0 ? 1 : 1.1) * Double.random(in: 0.97...1.03, using: &generator)
    }
    let time = try XCTUnwrap(report.contenders[1].result(.wallTime))
    XCTAssertEqual(time.verdict, .more)
    XCTAssertEqual(try XCTUnwrap(time.ratio).median, 1.1, accuracy: 0.03)
    XCTAssertEqual(report.verdict, "No allocator is better than system for this program.")
  }

  /// Few rounds: what was seen, how sure it is, and what would settle it.
  func testFewRoundsSayWhatTheySaw() throws {
    let slower = ExampleReport.report(allocators: 6, rounds: 8) { contender, _ in contender == 3 ? 1.57 : 1 }
    XCTAssertEqual(slower.contenders[3].result(.wallTime)?.verdict, .tooFewRounds)
    XCTAssertEqual(
      slower.verdict,
      "After 8 rounds, not settled: other3 took 57 % more time than system in 8 of 8 rounds, which by itself is 99.2 % sure not to "
        + "be chance; 11 rounds that agree would settle each such difference.")
    XCTAssert(slower.lines.contains { $0.hasSuffix("57 % more in 8 of 8 rounds, not settled") }, "\(slower.lines)")
    let once = ExampleReport.report(allocators: 2, rounds: 1) { contender, _ in contender == 1 ? 0.5 : 1 }
    XCTAssertEqual(
      once.verdict,
      "After 1 round, not settled: other1 took 50 % less time than system in 1 of 1 round, which may be chance; 9 rounds that agree "
        + "would settle it.")
    let much = ExampleReport.report(allocators: 2, rounds: 4) { contender, _ in contender == 1 ? 4 : 1 }
    XCTAssert(much.verdict.contains("other1 took 4.0 times as much time as system in 4 of 4 rounds"), much.verdict)
    let equal = ExampleReport.report(allocators: 2, rounds: 4)
    XCTAssertEqual(equal.verdict, "After 4 rounds no difference has been seen; 9 rounds would tell.")
    // The surer one is named, not the one with the larger ratio.
    let unsteady = ExampleReport.report(allocators: 3, rounds: 6) { contender, round in
      contender == 1 ? 1.1 : contender == 2 ? (round == 2 ? 0.5 : 3) : 1
    }
    XCTAssert(unsteady.verdict.contains("other1 took 10 % more time than system in 6 of 6 rounds"), unsteady.verdict)
  }

  /// What the default run settles: a tenth, among all allocators that there are.
  func testDefaultRunSettlesATenth() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    var generator = SplitMix64(seed: 22)
    let report = ExampleReport.report(allocators: 6, rounds: 15) { contender, _ in
      (contender == 4 ? 0.9 : 1) * Double.random(in: 0.97...1.03, using: &generator)
    }
    XCTAssertEqual(report.contenders[4].result(.wallTime)?.verdict, .less)
    XCTAssert(report.verdict.hasPrefix("other4 runs this program in"), report.verdict)
  }

  func testVerdicts() {
    let equal = ExampleReport.report(allocators: 2) { _, _ in 1 }
    XCTAssertEqual(equal.verdict, "There is no difference between system and other1 for this program.")
    let failed = ExampleReport.report(allocators: 2, failing: 0)
    XCTAssertEqual(failed.verdict, "Nothing can be said: on system the program exited with status 3.")
    let alone = ExampleReport.report(allocators: 2, failing: 1)
    XCTAssertEqual(alone.verdict, "Nothing can be said: no other allocator ran the program well.")
  }

  func testProgressBar() {
    XCTAssertEqual(ProgressBar.bar(fraction: 0.5, width: 4), "[##--]")
    XCTAssertEqual(ProgressBar.bar(fraction: 7, width: 4), "[####]")
    XCTAssertEqual(ProgressBar.bar(fraction: -1, width: 4), "[----]")
  }

  func testRoundUp() {
    for (value, expected) in [(0.5, 4.0), (4, 4), (5, 8), (9, 12), (13, 20), (21, 40), (206, 400), (3999, 4000)] {
      XCTAssertEqual(ResidentChart.roundUp(value), expected)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import XCTest

@testable import BenchmarkKit

final class SummaryTests: XCTestCase {
  private func sample(_ subject: String, _ contender: String, round: Int, seconds: Double, mebibytes: Int = 10)
    -> Sample
  {
    let run = ProgramRun(
      line: "exited 0 \(Int(seconds * 1e9)) \(Int(seconds * 5e8)) 0 \(mebibytes * 1024) 0 0 0 0", output: "",
      errorOutput: "")!
    let trial = Trial(subject: subject, contender: contender, command: Command(""))
    return Sample(of: trial, round: round, position: 0, run: run, failure: nil)
  }

  private func trials(_ subjects: [String], _ contenders: [String]) -> [Trial] {
    subjects.flatMap { subject in
      contenders.map { Trial(subject: subject, contender: $0, command: Command("")) }
    }
  }

  /// The machine slows down threefold in the second round: both suffer, their ratio does not.
  func testRatiosAreTakenWithinRounds() throws {
    let samples = [
      sample("s", "base", round: 1, seconds: 1), sample("s", "fast", round: 1, seconds: 0.5),
      sample("s", "base", round: 2, seconds: 3), sample("s", "fast", round: 2, seconds: 1.5),
      sample("s", "base", round: 3, seconds: 1), sample("s", "fast", round: 3, seconds: 0.5),
    ]
    let summary = Summary(samples, of: trials(["s"], ["base", "fast"]), baseline: "base")
    let ratio = try XCTUnwrap(summary.rows[1].time)
    XCTAssertEqual(ratio.median, 0.5)
    XCTAssertEqual(ratio.low, 0.5)
    XCTAssertEqual(ratio.high, 0.5)
    XCTAssertEqual(summary.rows[1].processor?.median, 0.5)
    XCTAssertEqual(summary.rows[0].medianSeconds, 1)
  }

  func testWarmUpCountsForNothing() {
    let samples = [sample("s", "a", round: 0, seconds: 9), sample("s", "a", round: 1, seconds: 2)]
    let summary = Summary(samples, of: trials(["s"], ["a"]), baseline: "a")
    XCTAssertEqual(summary.rows[0].medianSeconds, 2)
    XCTAssertEqual(summary.rows[0].runs, 1)
  }

  func testGeometricMeansAreOverAllSubjects() throws {
    let samples = [
      sample("s", "base", round: 1, seconds: 1, mebibytes: 10), sample("s", "x", round: 1, seconds: 2, mebibytes: 40),
      sample("t", "base", round: 1, seconds: 1, mebibytes: 10), sample("t", "x", round: 1, seconds: 0.5, mebibytes: 10),
    ]
    let summary = Summary(samples, of: trials(["s", "t"], ["base", "x"]), baseline: "base")
    XCTAssertEqual(try XCTUnwrap(summary.means[1].time), 1, accuracy: 1e-9)
    XCTAssertEqual(try XCTUnwrap(summary.means[1].memory), 2, accuracy: 1e-9)
    let partial = Summary(Array(samples.dropLast()), of: trials(["s", "t"], ["base", "x"]), baseline: "base")
    XCTAssertNil(partial.means[1].time, "a mean over fewer subjects is not comparable")
  }

  func testTableHasARowForEachAndTheMeansLast() {
    var samples: [Sample] = []
    for round in 1...3 {
      samples.append(sample("sort", "base", round: round, seconds: 1))
      samples.append(sample("sort", "x", round: round, seconds: 1.25, mebibytes: 20))
    }
    let summary = Summary(samples, of: trials(["sort"], ["base", "x"]), baseline: "base")
    XCTAssertEqual(
      summary.table(subject: "work", contender: "who").lines,
      [
        "work  who      time  spread       ratio  interval    CPU  peak RSS  ratio  interval   runs",
        "sort  base  1.000 s  1.000…1.000   1.00             1.00  10.0 MiB   1.00                3",
        "      x     1.250 s  1.250…1.250   1.25  1.25…1.25  1.25  20.0 MiB   2.00  2.00…2.00     3",
      ])
    let others = samples.map { sample in
      var other = sample
      other.subject = "search"
      return other
    }
    let two = Summary(samples + others, of: trials(["sort", "search"], ["base", "x"]), baseline: "base")
    let lines = two.table(subject: "work", contender: "who").lines
    XCTAssertEqual(lines.count, 9)
    XCTAssertEqual(lines[8].split(separator: " "), ["x", "1.25", "1.25", "2.00"])
    XCTAssertEqual(lines[7].prefix(20), "geometric mean  base")
  }

  func testOneRunHasNoInterval() {
    let samples = [sample("s", "base", round: 1, seconds: 1), sample("s", "x", round: 1, seconds: 1.25)]
    let summary = Summary(samples, of: trials(["s"], ["base", "x"]), baseline: "base")
    let row = summary.table(subject: "work", contender: "who").lines[2]
    XCTAssertEqual(row.split(separator: " "), ["x", "1.250", "s", "1.25", "1.25", "10.0", "MiB", "1.00", "1"])
  }

  func testMatrixHasTheRatiosOfAllAndMarksThoseThatShowNoDifference() {
    var samples: [Sample] = []
    for round in 1...5 {
      samples.append(sample("s", "base", round: round, seconds: 1))
      samples.append(sample("s", "same", round: round, seconds: 0.9 + 0.05 * Double(round)))
      samples.append(sample("s", "slow", round: round, seconds: 2))
    }
    let summary = Summary(samples, of: trials(["s"], ["base", "same", "slow"]), baseline: "base")
    XCTAssertEqual(
      summary.matrix("work", of: \.time, mean: \.time).lines,
      [
        "work             same   slow",
        "s               1.05~  2.00",
        "",
        "geometric mean  1.05   2.00",
      ])
  }

  func testColumnsAreAsWideAsTheirWidestCell() {
    var table = TextTable([("name", .left), ("n", .right)])
    table.addRow(["a", "1000"])
    table.addGap()
    table.addRow(["longer"])
    XCTAssertEqual(table.lines, ["name       n", "a       1000", "", "longer"])
  }

  func testSamplesSurviveJSON() throws {
    let samples = [sample("s", "a", round: 1, seconds: 0.25)]
    let decoded = try JSONDecoder().decode([Sample].self, from: JSONEncoder().encode(samples))
    XCTAssertEqual(decoded, samples)
  }
}

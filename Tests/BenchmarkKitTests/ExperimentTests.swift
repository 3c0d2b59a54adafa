// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import XCTest

@testable import BenchmarkKit

final class ExperimentTests: XCTestCase {
  private func trial(_ subject: String, _ contender: String, _ script: String) -> Trial {
    Trial(subject: subject, contender: contender, command: Command("/bin/sh", ["-c", script]))
  }

  private func experiment(_ trials: [Trial], rounds: Int, warmsUp: Bool = true, seed: UInt64 = 1) -> Experiment {
    Experiment(
      trials: trials, rounds: rounds, warmsUp: warmsUp, seed: seed, timeoutSeconds: 20,
      launcher: ProgramLauncher(path: Built.path(of: "benchmark-launcher")))
  }

  func testEveryTrialRunsOnceInEveryRoundBesideItsSubjectsOthers() throws {
    let trials = ["s", "t"].flatMap { subject in ["a", "b", "c"].map { trial(subject, $0, "exit 0") } }
    var numbers: [Int] = []
    let samples = try experiment(trials, rounds: 4).run { _, number in numbers.append(number) }
    XCTAssertEqual(numbers, Array(1...30))
    XCTAssertEqual(samples.map(\.round), (0...4).flatMap { Array(repeating: $0, count: 6) })
    for start in stride(from: 0, to: 30, by: 3) {
      XCTAssertEqual(Set(samples[start..<start + 3].map(\.contender)), ["a", "b", "c"])
      XCTAssertEqual(Set(samples[start..<start + 3].map(\.subject)).count, 1)
      XCTAssertEqual(samples[start..<start + 3].map(\.position), [0, 1, 2])
    }
    XCTAssertEqual(samples[..<3].map(\.contender), ["a", "b", "c"], "the warm-up is in the order of the trials")
  }

  func testOrderVariesAndTheSeedDecidesIt() throws {
    let trials = ["a", "b", "c", "d"].map { trial("s", $0, "exit 0") }
    func orders(seed: UInt64) throws -> [String] {
      let samples = try experiment(trials, rounds: 6, warmsUp: false, seed: seed).run { _, _ in }
      return (1...6).map { round in samples.filter { $0.round == round }.map(\.contender).joined() }
    }
    let first = try orders(seed: 1)
    XCTAssertGreaterThan(Set(first).count, 2)
    XCTAssertEqual(first, try orders(seed: 1))
    XCTAssertNotEqual(first, try orders(seed: 2))
  }

  func testFailingTrialIsReportedRunOnceAndNeverAveraged() throws {
    let trials = [trial("s", "good", "exit 0"), trial("s", "bad", "echo broken >&2; exit 9")]
    let samples = try experiment(trials, rounds: 3).run { _, _ in }
    XCTAssertEqual(samples.filter { $0.contender == "bad" }.map(\.failure), ["exited with status 9: broken"])
    XCTAssertEqual(samples.filter { $0.contender == "good" }.count, 4)
    let summary = Summary(samples, of: trials, baseline: "good")
    XCTAssertEqual(summary.failures.map(\.contender), ["bad"])
    XCTAssertEqual(summary.rows.map(\.runs), [3, 0])
    XCTAssertNil(summary.rows[1].medianSeconds)
    XCTAssertNil(summary.means[1].time)
    XCTAssertEqual(summary.table(subject: "s", contender: "c").lines[2].split(separator: " "), ["bad", "failed"])
  }

  /// Fails in the third of its runs: the first ones do not count either.
  func testTrialThatFailsLateHasNoNumbers() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("late-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let trials = [
      trial("s", "good", "exit 0"), trial("s", "late", "echo >> \(file); test $(wc -l < \(file)) -lt 3"),
    ]
    let samples = try experiment(trials, rounds: 5).run { _, _ in }
    XCTAssertEqual(samples.filter { $0.contender == "late" }.count, 3)
    XCTAssertEqual(Summary(samples, of: trials, baseline: "good").rows.map(\.runs), [5, 0])
  }

  func testContenderThatAnswersOtherwiseFails() throws {
    let trials = [trial("s", "a", "echo 1"), trial("s", "b", "echo 2"), trial("t", "b", "echo 2")]
    let samples = try experiment(trials, rounds: 1).run { _, _ in }
    let summary = Summary(samples, of: trials, baseline: "a")
    XCTAssertEqual(summary.failures.map(\.subject), ["s"])
    XCTAssertEqual(summary.failures[0].contender, "b")
    XCTAssertEqual(summary.failures[0].failure, "answered \"2\n\", but a answered \"1\n\"")
  }

  func testAnswerThatCannotBeTakenIsAFailure() throws {
    var trial = trial("s", "a", "echo hello")
    trial.answer = { _ throws(WrongOutput) in throw WrongOutput("no number") }
    let samples = try experiment([trial], rounds: 1).run { _, _ in }
    XCTAssertEqual(samples.map(\.failure), ["no number"])
  }

  func testHungTrialIsReported() throws {
    var experiment = experiment([trial("s", "a", "sleep 1000")], rounds: 2)
    experiment.timeoutSeconds = 0.2
    XCTAssertEqual(try experiment.run { _, _ in }.map(\.failure), ["killed, its time was up"])
  }
}

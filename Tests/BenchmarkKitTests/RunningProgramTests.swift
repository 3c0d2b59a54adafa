// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

@testable import BenchmarkKit

final class RunningProgramTests: XCTestCase {
  private let launcher = ProgramLauncher(path: Built.path(of: "benchmark-launcher"))

  private func shell(_ script: String) -> Command { Command("/bin/sh", ["-c", script]) }

  /// Whether a process is there and has not ended; one that has ended may wait for its parent to look.
  private func isRunning(_ process: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
    return text.drop { $0 != ")" }.dropFirst(2).first != "Z"
  }

  func testNothingIsLeftOfWhatRanAwayIntoAnotherSession() throws {
    let run = try launcher.run(shell("setsid sh -c 'sleep 1000 & echo $!; wait' & sleep 0.1; echo $!"))
    XCTAssertNil(run.failure)
    let processes = run.output.split(separator: "\n").compactMap { pid_t($0) }
    XCTAssertEqual(processes.count, 2, run.output)
    for process in processes { XCTAssertFalse(isRunning(process), "\(process) is left") }
  }

  func testWorkOfProcessesThatLostTheirParentCounts() throws {
    let spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
    // The parent of the second shell ends at once; the pipe tells when the second shell does.
    let run = try launcher.run(shell("(sh -c '\(spin); echo done' & ) | cat"))
    XCTAssertEqual(run.output, "done\n")
    XCTAssertGreaterThan(run.userSeconds, 0.01)
  }

  func testMemoryOfAllProcessesIsSeenTogether() throws {
    // Two processes of 40 MB each at the same time, until they have been seen.
    let seen = FileManager.default.temporaryDirectory.appendingPathComponent("seen-\(UUID().uuidString)").path
    defer { unlink(seen) }
    let wait = "while [ ! -e \(seen) ]; do sleep 0.01; done"
    let hog = "head -c 40000000 /dev/zero | tail -c 40000000 | (\(wait); cat >/dev/null)"
    let program = try launcher.start(
      shell("(\(hog)) & (\(hog)) & wait"), timeoutSeconds: 60, watchesMemory: true)
    while !program.hasEnded
      && (program.series.points.count < 4 || (program.series.points.map(\.bytes).max() ?? 0) < 75_000_000)
    {
      try program.wait(seconds: 0.01)
    }
    close(open(seen, O_CREAT | O_WRONLY, 0o600))
    let run = try program.result()
    XCTAssertNil(run.failure)
    XCTAssertGreaterThan(run.peakTreeResidentBytes, 75_000_000)
    XCTAssertLessThan(run.peakResidentBytes, 60_000_000, "no single process held both")
    XCTAssertGreaterThan(run.resident.count, 3)
    XCTAssertEqual(run.resident.map(\.seconds), run.resident.map(\.seconds).sorted())
    XCTAssertEqual(try launcher.run(shell("true")).resident, [], "nobody looked")
  }

  func testSeriesStaysShortAndKeepsItsPeak() {
    var series = ResidentSeries()
    for index in 0..<5000 {
      series.add(ResidentPoint(seconds: Double(index), bytes: index == 1234 ? 1_000_000 : index))
    }
    XCTAssertLessThan(series.points.count, ResidentSeries.limit)
    XCTAssertGreaterThan(series.points.count, ResidentSeries.limit / 2 - 1)
    XCTAssertEqual(series.points.map(\.bytes).max(), 1_000_000)
    XCTAssertGreaterThan(series.intervalMilliseconds, 10)
  }

  func testProgramIsKilledWhenNobodyWantsItAnyMore() throws {
    var program: RunningProgram? = try launcher.start(shell("sleep 1000 & wait"))
    try program?.wait(seconds: 0.1)
    let process = try XCTUnwrap(program?.processIdentifier)
    XCTAssert(isRunning(process))
    program = nil
    XCTAssertFalse(isRunning(process))
  }

  func testBudgetEndsTheRounds() throws {
    let trial = Trial(subject: "nap", contender: "a", command: shell("sleep 0.02"))
    var experiment = Experiment(
      trials: [trial], rounds: 1000, seed: 1, timeoutSeconds: nil, launcher: launcher)
    experiment.budgetSeconds = 0.2
    var orders: [[String]] = []
    let samples = try experiment.run(orderDecided: { orders.append($1) }, progress: { _, _ in })
    XCTAssertGreaterThan(samples.count, 1, "there is always one round")
    XCTAssertLessThan(samples.count, 11)
    XCTAssertEqual(orders.count, samples.count)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation

/// The options of every command that measures, and what they all do with them.
struct MeasuringOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How often each allocator runs everything.", valueName: "count"))
  var rounds: Int?

  @Flag(help: "A short run that shows that everything works; its numbers say little.")
  var quick = false

  @Option(help: ArgumentHelp("Write all samples and the summary there.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Decides the order of the runs.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Kill and report a run that takes longer.", valueName: "seconds"))
  var timeout: Double = 120

  func validate() throws {
    if let rounds, rounds < 1 { throw ValidationError("--rounds takes a number above 0.") }
    if timeout <= 0 { throw ValidationError("--timeout takes a number above 0.") }
  }

  /// Runs the trials, shows where it is on standard error and the summary on standard output.
  ///
  /// - Parameters:
  ///   - trials: the trials, those of `baseline` first at each subject.
  ///   - rounds: how often, if the user did not say.
  ///   - note: a line about what is measured, shown above the tables.
  ///   - present: makes the tables of the summary.
  /// - Throws: `ExitCode.failure` if any run failed.
  func measure(
    _ trials: [Trial], baseline: String, rounds usual: Int, note: String? = nil,
    present: (Summary) -> [(caption: String?, table: TextTable)]
  ) throws {
    let experiment = Experiment(
      trials: trials, rounds: rounds ?? (quick ? 1 : usual), warmsUp: !quick, seed: seed, timeoutSeconds: timeout,
      launcher: ProgramLauncher(path: try Siblings.path(of: "benchmark-launcher")))
    // Opened before hours are spent.
    if let json { try Data().write(to: URL(fileURLWithPath: json)) }
    let line = ProgressLine()
    let samples = try experiment.run { sample, number in
      let what = "[\(number)/\(experiment.runCount)] \(sample.subject) \(sample.contender)"
      if let failure = sample.failure {
        line.clear()
        line.show("\(what): \(failure)\n")
      } else {
        line.show("\(what): \(String(format: "%.3f s", sample.wallSeconds))\(sample.round == 0 ? " (warm-up)" : "")")
      }
    }
    line.clear()

    let report = Report(samples, of: experiment, baseline: baseline)
    let count = experiment.rounds == 1 ? "1 round" : "\(experiment.rounds) rounds"
    print("Ratios to \(baseline): medians of \(count), in the order of seed \(seed).")
    let kind = experiment.rounds < Statistics.leastCount(confidence: 0.95) ? "least to greatest" : "95 % of the median"
    print("Ratios are paired within rounds; their interval is \(kind), the spread that of the time.")
    print(report.machine.description)
    if let note { print(note) }
    print()
    #if DEBUG
      print("A debug build: these numbers say nothing about a release build.\n")
    #endif
    for (index, part) in present(report.summary).enumerated() {
      if index > 0 { print() }
      if let caption = part.caption { print("\(caption)\n") }
      for row in part.table.lines { print(row) }
    }
    if let json { try report.json().write(to: URL(fileURLWithPath: json)) }

    let failures = report.summary.failures
    guard !failures.isEmpty else { return }
    print()
    for row in failures { print("failed: \(row.subject) on \(row.contender): \(row.failure ?? "")") }
    throw ExitCode.failure
  }
}

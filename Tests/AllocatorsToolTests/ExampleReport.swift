// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

@testable import AllocatorsTool
@testable import BenchmarkKit

/// Reports that were never measured.
enum ExampleReport {
  private static let machine = Machine(
    processor: "Example", processorCount: 2, memoryBytes: 4 << 30, kernel: "6.1", libc: "glibc 2.36")

  /// One allocator that is faster and takes more memory, one that is the same, and one on which the program fails.
  static var report: ComparisonReport {
    let names = ["system", "fast<er>", "equal", "broken"]
    let samples = (0...12).flatMap { round in
      names.enumerated().map { index, name in
        sample(
          name, round: round, position: index, time: index == 1 ? 0.08 : 0.1, bytes: index == 1 ? 40 << 20 : 20 << 20,
          failure: index == 3 ? "exited with status 3" : nil)
      }
    }
    return ComparisonReport(
      plan(names), samples: samples, orders: Array(repeating: names, count: 12), notes: ["an example"])
  }

  /// A report whose times and sizes are `factor` of contender and round, times the usual.
  static func report(
    allocators: Int, rounds: Int = 12, failing: Int? = nil,
    factor: (_ contender: Int, _ round: Int) -> Double = { _, _ in 1 }
  ) -> ComparisonReport {
    let names = (0..<allocators).map { $0 == 0 ? "system" : "other\($0)" }
    var samples: [Sample] = []
    for round in 0...rounds {
      for (index, name) in names.enumerated() {
        samples.append(
          sample(
            name, round: round, position: index, time: 0.1 * factor(index, round),
            bytes: Int(20_000_000 * factor(index, round)), failure: index == failing ? "exited with status 3" : nil))
      }
    }
    return ComparisonReport(plan(names), samples: samples, orders: [], notes: [])
  }

  private static func plan(_ names: [String]) -> ComparisonReport.Plan {
    ComparisonReport.Plan(
      command: ["./my-server", "a <b>"], load: nil,
      contenders: names.map { .init(name: $0, version: "1.0", path: $0 == "system" ? nil : "/lib/\($0).so") }, seed: 1,
      machine: machine, date: "2026-01-01T00:00:00Z")
  }

  private static func sample(_ name: String, round: Int, position: Int, time: Double, bytes: Int, failure: String?)
    -> Sample
  {
    var run = ProgramRun(
      ending: .exited(0), wallSeconds: time, userSeconds: time * 0.8, systemSeconds: time * 0.1,
      peakResidentBytes: bytes,
      minorFaults: 100, majorFaults: 0, voluntarySwitches: 3, involuntarySwitches: 4, output: "", errorOutput: "")
    run.resident = (0..<20).map { ResidentPoint(seconds: time * Double($0) / 20, bytes: bytes * ($0 + 1) / 20) }
    let trial = Trial(subject: "my-server", contender: name, command: Command("./my-server"))
    return Sample(of: trial, round: round, position: position, run: run, failure: failure)
  }
}

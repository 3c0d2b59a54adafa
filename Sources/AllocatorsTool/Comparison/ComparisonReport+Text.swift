// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

extension ComparisonReport {
  /// The report for a terminal.
  var lines: [String] {
    var lines: [String] = [verdict, ""]
    var table = TextTable([
      ("", .left), ("median", .right), ("ratio", .right), ("interval", .left), ("", .left),
    ])
    for (index, metric) in metrics.enumerated() {
      if index > 0 { table.addGap() }
      table.addRow([metric.title(forServer: isServer)])
      for contender in contenders {
        guard let result = contender.result(metric) else { continue }
        table.addRow([
          "  " + contender.name, metric.text(result.median), result.ratioText, result.intervalText, result.verdictText,
        ])
      }
    }
    lines += table.lines
    lines += [""] + explanation.map { $0 }
    lines += notes.map { "note: \($0)" }
    lines += failures.map { "failed: on \($0.name) the program \($0.failure ?? "")" }
    return lines
  }

  /// How the numbers came about.
  var explanation: [String] {
    let percent = String(format: "%.4g %%", Self.confidence * 100)
    let single = String(format: "%.4g %%", intervalConfidence * 100)
    return [
      "\(rounds) rounds in an order drawn from seed \(plan.seed), after a warm-up; a ratio is the median of the ratios to "
        + "\(baseline.name) within each round.",
      "Intervals: bootstrap, each \(single) sure, so that all verdicts together are \(percent) sure.",
      "Peak RSS is that of all processes together, as seen every few milliseconds, and at least the largest one's own.",
      plan.machine.description,
    ]
  }

  /// What was run, as one would type it.
  var commandLine: String {
    plan.command.map(Self.quoted).joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) }
    return plain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}

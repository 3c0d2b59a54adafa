// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// Shows how far a comparison is, on standard error: a bar on a terminal, else a line for each round and each run.
struct ProgressBar {
  private let line = ProgressLine()
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let begin = ContinuousClock.now

  /// The runs that there will be; nil if time decides.
  let runCount: Int?
  let budgetSeconds: Double?

  func round(_ number: Int, order: [String]) {
    line.clear()
    let title = number == 0 ? "warm-up" : "round \(number)"
    write("\(title): \(order.joined(separator: ", "))\n")
  }

  func run(_ sample: Sample, number: Int) {
    if let failure = sample.failure {
      line.clear()
      write("  \(sample.contender): \(failure)\n")
    } else if !isTerminal {
      write("  \(sample.contender): \(Metric.text(seconds: sample.wallSeconds))\n")
    }
    guard isTerminal else { return }
    line.show(Self.bar(fraction: fraction(number), width: 32) + " " + left(number))
  }

  func clear() { line.clear() }

  /// "[####----]".
  static func bar(fraction: Double, width: Int) -> String {
    let full = Int((min(max(fraction, 0), 1) * Double(width)).rounded())
    return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: width - full) + "]"
  }

  private var elapsed: Double {
    let duration = ContinuousClock.now - begin
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private func fraction(_ number: Int) -> Double {
    max(runCount.map { Double(number) / Double($0) } ?? 0, budgetSeconds.map { elapsed / $0 } ?? 0)
  }

  private func left(_ number: Int) -> String {
    let fraction = fraction(number)
    let seconds = Int((elapsed / max(fraction, 1e-9) * (1 - fraction)).rounded())
    return "\(number)\(runCount.map { "/\($0)" } ?? "") runs, about \(max(0, seconds)) s left"
  }

  private func write(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}

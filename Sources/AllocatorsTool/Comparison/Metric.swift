// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// Something that is measured of every run.
enum Metric: String, Codable, CaseIterable, Sendable {
  case score, wallTime, processorTime, peakResident, minorFaults, majorFaults, contextSwitches

  /// The title of its table.
  func title(forServer: Bool) -> String {
    switch self {
    case .score: "score of the load"
    case .wallTime: forServer ? "time of the load" : "wall time"
    case .processorTime: "CPU time, user + system"
    case .peakResident: "peak RSS"
    case .minorFaults: "minor page faults"
    case .majorFaults: "major page faults"
    case .contextSwitches: "context switches"
    }
  }

  /// Whether a verdict is given. Each one makes all intervals wider, so the counts, which explain rather than decide, get none.
  func isDecisive(forServer: Bool, hasScore: Bool) -> Bool {
    switch self {
    case .score: hasScore
    case .wallTime: !hasScore
    case .processorTime, .peakResident: true
    case .minorFaults, .majorFaults, .contextSwitches: false
    }
  }

  /// The value of a run; nil if the run has none.
  func value(of sample: Sample) -> Double? {
    switch self {
    case .score: sample.score
    case .wallTime: sample.wallSeconds
    case .processorTime: sample.userSeconds + sample.systemSeconds
    case .peakResident: Double(sample.peakTreeResidentBytes ?? sample.peakResidentBytes)
    case .minorFaults: Double(sample.minorFaults)
    case .majorFaults: Double(sample.majorFaults)
    case .contextSwitches: Double(sample.voluntarySwitches + sample.involuntarySwitches)
    }
  }

  /// A value with its unit.
  func text(_ value: Double) -> String {
    switch self {
    case .score: String(format: value < 100 ? "%.2f" : "%.0f", value)
    case .wallTime, .processorTime: Self.text(seconds: value)
    case .peakResident: Self.text(bytes: value)
    case .minorFaults, .majorFaults, .contextSwitches: String(format: "%.0f", value)
    }
  }

  static func text(seconds: Double) -> String {
    seconds < 0.9995 ? String(format: "%.1f ms", seconds * 1000) : String(format: "%.3f s", seconds)
  }

  static func text(bytes: Double) -> String {
    bytes < 1_048_576 * 999.5
      ? String(format: "%.1f MiB", bytes / 1_048_576) : String(format: "%.2f GiB", bytes / 1_073_741_824)
  }
}

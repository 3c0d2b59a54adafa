// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocationTrace
import BenchmarkKit
import Foundation

/// What a replay has found, for a terminal and for a file.
struct ReplayReport {
  var trace: String
  var command: [String]
  var summary: TraceSummary
  var plan: ReplayPlan
  var rounds: Int
  var seed: UInt64
  var results: [ReplayResult]

  /// Rounds beyond this are short of what a timer and a scheduler can tell apart.
  private static let shortSeconds = 0.02

  var lines: [String] {
    var lines = [
      "\(trace): \(command.joined(separator: " "))",
      "\(plan.calls) calls of \(plan.threads) \(plan.threads == 1 ? "thread" : "threads"), at most "
        + "\(Self.text(bytes: Double(summary.peakLiveBytes))) live in \(summary.peakLiveBlocks) blocks",
      "",
    ]
    lines += mainTable.lines + [""] + residentTable.lines + [""]
    lines.append(
      "\(rounds) rounds, order drawn from seed \(seed); medians, and ratios to \(results[0].allocator) within each round "
        + "with their least and greatest.")
    lines.append(
      "live/resident is taken where most is live, and as the mean over all samples; 1 would be no loss. Every page of a block is written."
    )
    if summary.failures > 0 { lines.append("note: \(summary.failures) calls failed when recorded, and are left out") }
    if let defect = summary.defect { lines.append("note: the trace is not whole: \(defect)") }
    if let seconds = results.compactMap({ Statistics.median($0.seconds) }).max(), seconds < Self.shortSeconds {
      lines.append("note: the trace takes less than 20 ms: times mean little")
    }
    lines += results.compactMap { result in result.failure.map { "failed: on \(result.allocator) the replay \($0)" } }
    return lines
  }

  private var mainTable: TextTable {
    var table = TextTable([
      ("", .left), ("time", .right), ("ratio", .right), ("", .left), ("peak RSS", .right), ("ratio", .right),
      ("live/resident", .right), ("mean", .right),
    ])
    for result in results where result.failure == nil {
      let time = ratio(result.seconds, results[0].seconds)
      let peak = ratio(result.peaks, results[0].peaks)
      table.addRow([
        result.allocator, Metric.text(seconds: Statistics.median(result.seconds) ?? 0), time.median, time.spread,
        Self.text(bytes: Statistics.median(result.peaks) ?? 0), peak.median, Self.text(fragmentation(of: result)),
        Self.text(meanFragmentation(of: result)),
      ])
    }
    return table
  }

  /// Memory at ten places.
  private var residentTable: TextTable {
    let places = (1...10).map { tenth -> Int in
      let calls = plan.calls * tenth / 10
      return plan.callsBefore.lastIndex { $0 <= calls } ?? 0
    }
    var table = TextTable([("RSS after", .left)] + (1...10).map { ("\($0 * 10) %", .right) })
    for result in results where result.failure == nil {
      let resident = result.typicalResident
      table.addRow([result.allocator] + places.map { Self.text(bytes: resident[$0]) })
    }
    table.addRow(["live"] + places.map { Self.text(bytes: Double(plan.live[$0].bytes)) })
    return table
  }

  private func ratio(_ values: [Double], _ base: [Double]) -> (median: String, spread: String) {
    let ratios = zip(values, base).compactMap { $1 > 0 ? $0 / $1 : nil }
    guard let median = Statistics.median(ratios), let low = ratios.min(), let high = ratios.max() else {
      return ("", "")
    }
    return (String(format: "%.2f", median), String(format: "%.2f…%.2f", low, high))
  }

  /// Live bytes over resident ones where most is live.
  func fragmentation(of result: ReplayResult) -> Double? {
    let resident = result.typicalResident[plan.peakSample]
    return resident > 0 ? Double(plan.live[plan.peakSample].bytes) / resident : nil
  }

  func meanFragmentation(of result: ReplayResult) -> Double? {
    let resident = result.typicalResident.reduce(0, +)
    return resident > 0 ? Double(plan.live.reduce(0) { $0 + $1.bytes }) / resident : nil
  }

  private static func text(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "" }

  private static func text(bytes: Double) -> String {
    bytes < 1_048_576 ? String(format: "%.0f KiB", bytes / 1024) : Metric.text(bytes: bytes)
  }

  private struct File: Codable {
    var command: [String]
    var calls: Int
    var threads: Int
    var isWhole: Bool
    var seed: UInt64
    /// By sample.
    var callsBefore: [Int]
    var liveBytes: [Int]
    var results: [ReplayResult]
  }

  /// The file, RFC 8259.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(
      File(
        command: command, calls: plan.calls, threads: plan.threads, isWhole: summary.defect == nil, seed: seed,
        callsBefore: plan.callsBefore, liveBytes: plan.live.map(\.bytes), results: results))
  }
}

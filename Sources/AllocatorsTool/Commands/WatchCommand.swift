// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import ArgumentParser
import Foundation
import Glibc

/// Follows a process's memory.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Shows a process's memory every second.",
    discussion: """
      A line a second; on a terminal the lines are redrawn in place, below the sentence. Ends when the process does, or \
      after --count lines.
      """)

  @OptionGroup var options: ProcessOptions

  @Option(help: ArgumentHelp("Seconds between lines.", valueName: "seconds"))
  var interval: Double = 1

  @Option(help: ArgumentHelp("End after so many lines.", valueName: "lines"))
  var count: Int?

  func validate() throws {
    if !(interval >= 0.1 && interval <= 3_600) { throw ValidationError("--interval is from 0.1 to 3600 seconds") }
    if let count, count < 1 { throw ValidationError("--count is at least 1") }
  }

  func run() throws {
    let asked = try options.asked()
    let isTerminal = isatty(STDOUT_FILENO) != 0 && !options.json
    var lines = WatchLines()
    var shown = 0
    while count.map({ shown < $0 }) ?? true {
      if shown > 0 { usleep(UInt32(interval * 1_000_000)) }
      let answer: String
      do {
        answer = try asked.ask("report json").answer ?? asked.reportOfSystem().json
      } catch {
        // It was there when it was asked first.
        if shown > 0 { return }
        throw error
      }
      shown += 1
      if options.json {
        print(answer.trimmingCharacters(in: .whitespacesAndNewlines))
      } else {
        for line in lines.add(answer, isTerminal: isTerminal) { print(line) }
      }
      fflush(nil)
    }
  }
}

/// The lines of `watch`, made of reports in JSON.
struct WatchLines {
  private struct Report: Decodable {
    struct Verdict: Decodable {
      var kind: String
      var sentence: String
      var growthPerMinute: Int
    }
    struct Process: Decodable {
      var resident: Int?
    }
    struct Allocator: Decodable {
      var live: Int?
      var releasableNow: Int?
    }
    struct Cgroup: Decodable {
      var limit: Int?
      var current: Int?
    }
    var time: Double
    var verdict: Verdict
    var process: Process
    var allocator: Allocator?
    var cgroup: Cgroup?
  }

  private var first: (time: Double, resident: Int)?
  private var rows: [String] = []
  private var drawn = 0
  /// Lines below the sentence on a terminal.
  private static let most = 15
  private static let title =
    column(["time", "resident", "live", "a trim gives", "per minute", "of limit"]) + "  verdict"

  /// The lines to print for one more report: one, after a title; on a terminal all, after going back to the first.
  mutating func add(_ json: String, isTerminal: Bool) -> [String] {
    guard let report = try? JSONDecoder().decode(Report.self, from: Data(json.utf8)) else { return [] }
    let resident = report.process.resident ?? 0
    let start = first ?? (report.time, resident)
    let isFirst = first == nil
    first = start
    // The process's own slope where it knows one, else that of its resident memory since the watch began.
    let minutes = (report.time - start.time) / 60
    let seen = minutes > 0.05 ? Int(Double(resident - start.resident) / minutes) : nil
    let growth = report.verdict.growthPerMinute != 0 ? report.verdict.growthPerMinute : seen
    var ofLimit = "-"
    if let limit = report.cgroup?.limit, limit > 0, let current = report.cgroup?.current {
      ofLimit = "\(Int(Double(current) / Double(limit) * 100)) %"
    }
    let row =
      Self.column([
        "\(Int(report.time - start.time)) s", Self.size(resident), Self.size(report.allocator?.live),
        Self.size(report.allocator?.releasableNow), growth.map { ($0 < 0 ? "-" : "+") + Self.size(abs($0)) } ?? "-",
        ofLimit,
      ]) + "  " + report.verdict.kind
    guard isTerminal else { return (isFirst ? [report.verdict.sentence, Self.title] : []) + [row] }
    rows.append(row)
    if rows.count > Self.most { rows.removeFirst() }
    // Up, and each line cleared before it is written (ECMA-48: CUU, EL).
    let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
    let lines = [report.verdict.sentence, Self.title] + rows
    drawn = lines.count
    return [up + lines.map { "\u{1B}[2K" + $0 }.joined(separator: "\n")]
  }

  private static func column(_ cells: [String]) -> String {
    cells.map { String(repeating: " ", count: max(12 - $0.count, 0)) + $0 }.joined(separator: " ")
  }

  private static func size(_ bytes: Int?) -> String {
    guard let bytes else { return "-" }
    return bytes < 10 << 20 ? "\((bytes + 512) >> 10) KiB" : "\((bytes + (1 << 19)) >> 20) MiB"
  }
}

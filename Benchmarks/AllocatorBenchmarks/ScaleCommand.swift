// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation
import KitSupport

/// Prints what matters to a service that never ends, under each allocator that can be preloaded.
struct ScaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "Memory after a load, pauses, and cost as heap and threads grow, under each allocator that is installed.",
    discussion: """
      Absolute figures, not ratios: each is the median of the rounds, and the allocators take turns within a round. Pauses \
      and times are processor time of the thread. Memory is what smaps_rollup says. Needs up to 2 GiB of memory, and 16 GiB \
      of address space.
      """)

  @Option(help: ArgumentHelp("Which rows; all if not given.", valueName: "a,b"))
  var rows: CommaSeparated?

  @OptionGroup
  var libraries: LibraryOptions

  @Option(help: ArgumentHelp("How often each allocator runs everything.", valueName: "count"))
  var rounds = 3

  @Option(help: ArgumentHelp("Kill and report a run that takes longer.", valueName: "seconds"))
  var timeout: Double = 120

  func validate() throws {
    if rounds < 1 { throw ValidationError("--rounds takes a number above 0.") }
    if timeout <= 0 { throw ValidationError("--timeout takes a number above 0.") }
  }

  func run() throws {
    let program = try Siblings.path(of: "AllocationScale")
    let launcher = ProgramLauncher(path: try Siblings.path(of: "benchmark-launcher"))
    let all = try launcher.run(Command(program, ["--list"])).output.split(whereSeparator: \.isNewline).map(String.init)
    let chosen = try rows?.selection(of: all, named: { $0 }, option: "--rows") ?? all
    let libraries: [PreloadLibrary?] = [nil] + (try libraries.chosen())
    let names = libraries.map { $0?.name ?? LibraryOptions.baseline }
    var labels: [String] = []
    var figures: [String: [String: [Double]]] = [:]
    var failures: [String] = []
    let line = ProgressLine()
    for row in chosen {
      for round in 1...rounds {
        for (library, name) in zip(libraries, names) {
          line.show("\(row) \(name), round \(round) of \(rounds)")
          let run = try launcher.run(
            Command(program, [row], environment: PreloadLibrary.environment(for: library)), timeoutSeconds: timeout)
          guard run.ending == .exited(0) else {
            failures.append("failed: \(row) on \(name): \(run.ending)")
            continue
          }
          for (label, figure) in Self.figures(in: run.output) {
            if figures[label] == nil { labels.append(label) }
            figures[label, default: [:]][name, default: []].append(figure)
          }
        }
      }
    }
    line.clear()
    print("Medians of \(rounds == 1 ? "1 round" : "\(rounds) rounds").\n")
    var table = TextTable([("", .left)] + names.map { ($0, .right) })
    for label in labels {
      table.addRow([label] + names.map { Self.text(figures[label]?[$0] ?? []) })
    }
    table.lines.forEach { print($0) }
    failures.forEach { print($0) }
    if !failures.isEmpty { throw ExitCode.failure }
  }

  /// The lines of a row: a label, a tab and a number.
  private static func figures(in output: String) -> [(String, Double)] {
    output.split(whereSeparator: \.isNewline).compactMap { line in
      let parts = line.split(separator: "\t")
      guard parts.count == 2, let figure = Double(parts[1]) else { return nil }
      return (String(parts[0]), figure)
    }
  }

  private static func text(_ figures: [Double]) -> String {
    if figures.isEmpty { return "-" }
    let sorted = figures.sorted()
    let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    return String(format: median < 10 ? "%.2f" : "%.0f", median)
  }
}

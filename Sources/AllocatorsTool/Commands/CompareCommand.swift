// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation

/// Measures one program on each allocator.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Measures a program on each allocator.",
    discussion: """
      The program runs on each allocator in turn, round by round, in an order drawn anew for each round, after a warm-up. \
      What it prints on standard output has to be the same on all. Its own standard input is empty.

      A server is driven with --wait-for and --drive: it is started, and when the port answers, the load runs; then it is \
      stopped. For example: allocators compare --wait-for 6379 --drive 'redis-benchmark -t set -n 100000 -q' \
      --score '([0-9.]+) requests per second' -- redis-server --save ''
      """)

  @Option(
    help: ArgumentHelp(
      "Which allocators; all that are installed if not given. system is always the first.", valueName: "a,b"))
  var allocators: String?

  @OptionGroup var libraries: LibraryOptions

  @Option(help: ArgumentHelp("How often each runs (default: 15).", valueName: "count"))
  var rounds: Int?

  @Option(help: ArgumentHelp("As many rounds as fit in about this time.", valueName: "seconds"))
  var budget: Double?

  @Option(help: ArgumentHelp("Kill and report a run that takes longer.", valueName: "seconds"))
  var timeout: Double = 600

  @Option(help: ArgumentHelp("Decides the orders; drawn if not given.", valueName: "number"))
  var seed: UInt64?

  @Flag(help: "The output may differ from run to run.")
  var ignoreOutput = false

  @Option(help: ArgumentHelp("Write a page with tables and charts there.", valueName: "file"))
  var html: String?

  @Option(help: ArgumentHelp("Write all runs and results there.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("The program is a server that answers on this TCP port of 127.0.0.1.", valueName: "port"))
  var waitFor: UInt16?

  @Option(help: ArgumentHelp("The load for the server: a command for the shell.", valueName: "command"))
  var drive: String?

  @Option(
    help: ArgumentHelp(
      "Finds the load's score, the higher the better: the number that the first group matches.", valueName: "regex"))
  var score: String?

  @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, after --.")
  var command: [String] = []

  func run() throws {
    let words = try CommandWords(command)
    try Comparison(self, words).run()
  }
}

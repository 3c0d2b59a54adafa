// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser

/// Makes the calls of a trace on each allocator.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Makes the calls of a trace on each allocator, and compares.",
    discussion: """
      As many threads as the trace has make the same calls, as fast as they can; a block is released after it has been allocated, \
      whichever threads do that. Every page of a block is written to: a trace does not know which ones the program wrote. \
      Resident memory is looked at while all threads stand still, after the same calls on each allocator, and it is that of the \
      allocator and its blocks alone.
      """)

  @Argument(help: "What `allocators record` has written.")
  var trace: String

  @Option(
    help: ArgumentHelp("Which allocators, the baseline first; all that are installed if not given.", valueName: "a,b"))
  var allocators: String?

  @OptionGroup var libraries: LibraryOptions

  @Option(help: ArgumentHelp("How often each runs.", valueName: "count"))
  var rounds = 7

  @Option(help: ArgumentHelp("How often memory is looked at, at most.", valueName: "count"))
  var samples = 100

  @Option(help: ArgumentHelp("Kill and report a run that takes longer.", valueName: "seconds"))
  var timeout: Double = 600

  @Option(help: ArgumentHelp("Decides the orders; drawn if not given.", valueName: "number"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("Write all results there.", valueName: "file"))
  var json: String?

  func run() throws {
    guard rounds > 0, samples > 0, samples <= 100_000, timeout > 0 else {
      throw ToolFailure("--rounds, --samples (up to 100000) and --timeout take numbers above 0", .usage)
    }
    try Replay(self).run()
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser

/// The benchmarks of this package, as a command.
@main
struct AllocatorBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "AllocatorBenchmarks",
    abstract: "Measures what an allocator does for time and memory.",
    discussion: """
      Every run is a process of its own. The allocators take turns, in an order that changes from round to round, and a \
      ratio is the median of the ratios within each round; the columns "95 %" are bootstrap intervals of those medians. \
      Peak RSS is the largest of any one process. The exit status is 1 if any run failed.
      """,
    subcommands: [WorkloadsCommand.self, ShapesCommand.self, ScaleCommand.self],
    defaultSubcommand: WorkloadsCommand.self)
}

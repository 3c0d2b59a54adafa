// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import ArgumentParser

/// Where the process is, for every command that asks one.
struct ProcessOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A process id.", valueName: "pid"))
  var pid: Int

  @Option(help: ArgumentHelp("Where the process has its socket, if it was told a folder.", valueName: "path"))
  var folder: String?

  @Flag(help: "Answer in JSON.")
  var json = false

  func asked() throws(ToolFailure) -> AskedProcess { try AskedProcess(pid, folder: folder) }
}

/// Tells what a process's memory is used for.
struct StatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Tells what a process's memory is used for, and what it is doing.",
    discussion: """
      Of any process: what the kernel says of it and of its control group. One that has called Insight.start() also tells of \
      its allocator, and by its history whether its memory grows, is kept by the allocator, or was not allocated at all.
      """)

  @OptionGroup var options: ProcessOptions

  func run() throws {
    print(try Self.stats(options), terminator: "")
  }

  static func stats(_ options: ProcessOptions) throws(ToolFailure) -> String {
    let asked = try options.asked()
    let (answer, reason) = try asked.ask("report \(options.json ? "json" : "text")")
    if let answer { return answer }
    let report = try asked.reportOfSystem()
    let note = [asked.allocator, reason].compactMap(\.self).joined(separator: "; ")
    return options.json ? report.json(note: note) + "\n" : "\(report)\n\n\(note)\n"
  }
}

/// Has a process give memory back.
struct TrimCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trim", abstract: "Has a process give free memory back, and shows what that has done.",
    discussion: "The process has to have called Insight.start(). Its allocator's locks are held for some milliseconds.")

  @OptionGroup var options: ProcessOptions

  func run() throws {
    let (answer, reason) = try options.asked().ask("trim \(options.json ? "json" : "text")")
    guard let answer else { throw ToolFailure(reason, .unavailable) }
    print(answer, terminator: "")
  }
}

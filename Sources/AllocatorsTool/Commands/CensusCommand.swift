// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import ArgumentParser

/// Counts what is alive in a process, by Swift type.
struct CensusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "census", abstract: "Counts what is alive in a process, by Swift type.",
    discussion: """
      The process has to have called Insight.start(). On Nest every live block is counted, and compared with the census before. Any \
      other allocator cannot tell its blocks: there, --diff samples what is allocated in that time, and each number of what of it is \
      alive at the end has its standard error. No thread of the process is stopped.
      """)

  @OptionGroup var options: ProcessOptions

  @Option(help: ArgumentHelp("Tell what changes in so many seconds. Ctrl-C ends it early.", valueName: "seconds"))
  var diff: Double?

  @Option(
    help: ArgumentHelp(
      "Where there are only samples: bytes between them, on average, as in `profile`.", valueName: "size"))
  var interval: String = "512K"

  func validate() throws {
    if let diff, !(diff >= 0.1 && diff <= 86_400) { throw ValidationError("--diff is from 0.1 to 86400 seconds") }
    _ = try ProfileCommand.bytes(interval)
  }

  /// Seconds for one census: one of a billion blocks takes a minute.
  private static let patience = 120.0

  func run() throws {
    let asked = try options.asked()
    let format = options.json ? "json" : "text"
    guard let diff else { return print(try answer(asked, "census \(format)"), terminator: "") }
    // Before: a profile that has been started is to be stopped.
    InterruptibleWait.expect()
    let mark = try answer(asked, "census-mark begin").split(whereSeparator: \.isWhitespace)
    guard mark.count == 2, let number = Int(mark[0]) else {
      throw ToolFailure("process \(options.pid) answers with something else than the number of a census", .badData)
    }
    if number > 0 {
      try InterruptibleWait.wait(diff, for: options.pid)
      return print(try answer(asked, "census-since \(number),\(format)"), terminator: "")
    }
    _ = try answer(asked, "profile-start \(ProfileCommand.bytes(interval)),\(Int(diff.rounded(.up)) + 60)")
    try InterruptibleWait.wait(diff, for: options.pid)
    let census = Result { try answer(asked, "census-new \(format)") }
    // Whatever the answer.
    _ = try asked.askForBytes("profile-stop pprof", patience: Self.patience)
    print(try census.get(), terminator: "")
  }

  private func answer(_ asked: AskedProcess, _ request: String) throws(ToolFailure) -> String {
    let (answer, reason) = try asked.askForBytes(request, patience: Self.patience)
    guard let answer else { throw ToolFailure(reason, .unavailable) }
    return String(decoding: answer, as: UTF8.self)
  }
}

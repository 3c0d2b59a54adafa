// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser

/// Writes down a program's calls of malloc and its kin.
struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Writes a program's allocations down, for `replay`.",
    discussion: """
      The program runs on glibc's allocator with a library preloaded that writes each call into a buffer in shared memory, \
      from which this process takes it. The exit status is the program's, or 128 and the number of the signal that ended it.

      It is one process whose calls are recorded: the first, or the first one that runs the program --of names. If it becomes another \
      program (exec), the trace is that one's, or not whole where that one cannot be recorded. The children that it forks run unrecorded. Static and setuid programs cannot \
      be recorded, because no library can be preloaded into them.

      Where the file cannot be written any more, or calls come faster than they can be taken for longer than a second, the \
      program goes on, and the trace says that it is not whole.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("The trace, a regular file.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Record the first process that runs a program of this name, such as one that a script starts.", valueName: "name")
  )
  var of: String?

  @Flag(help: "Also write down when each call was made.")
  var times = false

  @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, after --.")
  var command: [String] = []

  func run() throws {
    let words = try CommandWords(command)
    try Recording(output: output, of: of, hasTimes: times, words).run()
  }
}

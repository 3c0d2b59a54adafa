// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import Foundation

/// The command `allocators`.
public struct AllocatorsCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "allocators",
    abstract: "Finds out which memory allocator suits a program, and what a process's memory is used for.",
    discussion: """
      Exit status: that of the program under `run` and `record`; else 0 if all went well, 1 if a run of the program failed, 64 for a \
      command line that makes no sense, 65 and 66 for a file or process that cannot be inspected, 69 for an allocator that \
      is not installed or a process that does not answer, 71 and 73 if the system refuses something, 126 for a program that cannot run as asked, 127 for one \
      that is not there.
      """,
    subcommands: [
      ListCommand.self, RunCommand.self, CompareCommand.self, RecordCommand.self, ReplayCommand.self,
      InspectCommand.self, StatsCommand.self, WatchCommand.self,
      TrimCommand.self, CensusCommand.self, ProfileCommand.self, DiffCommand.self, AskCommand.self,
    ])

  public init() {}

  /// Runs the command that the process's arguments ask for, and ends the process.
  ///
  /// Whatever is wrong is said in one line on standard error.
  public static func runAndExit() -> Never {
    do {
      var command = try parseAsRoot()
      try command.run()
      Foundation.exit(EXIT_SUCCESS)
    } catch let failure as ToolFailure {
      end(failure.message, status: failure.status.rawValue)
    } catch {
      let code = exitCode(for: error)
      // Help, and a status without a message.
      if code.isSuccess || error is ExitCode { exit(withError: error) }
      end(message(for: error), status: code.rawValue)
    }
  }

  private static func end(_ message: String, status: Int32) -> Never {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    FileHandle.standardError.write(Data("allocators: \(line)\n".utf8))
    Foundation.exit(status)
  }
}

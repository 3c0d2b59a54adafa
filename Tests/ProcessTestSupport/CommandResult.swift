// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import Synchronization

/// What a finished command left: its exit status and its output.
public struct CommandResult: Sendable, Codable {
  /// The exit status, or the negative number of the signal that ended the command.
  public var status: Int32
  public var standardOutput: String
  public var standardError: String

  /// Both outputs, for a failure message.
  public var transcript: String {
    "exit status \(status)\n\(standardOutput)\(standardError)"
  }

  /// The lines of the standard output.
  public var lines: [String] {
    standardOutput.split(separator: "\n").map(String.init)
  }

  /// Runs a command to its end. Output goes through files, so that no amount of it can block the command.
  ///
  /// - Parameters:
  ///   - command: a program, looked up in `PATH` unless it has a slash, and its arguments.
  ///   - environment: variables set in addition to those of this process.
  public static func run(
    _ command: [String], in folder: URL? = nil, environment: [String: String] = [:]
  ) throws -> CommandResult {
    let outputs = [try UnnamedFile(), try UnnamedFile()]
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let change = folder.map { ["env", "--chdir=\($0.path)"] } ?? []
    // As a shell has it.
    var status: Int32 = 127
    if let process = try Spawn.process(
      change + command, environment: variables,
      streams: [.file("/dev/null", O_RDONLY)] + outputs.map { .descriptor($0.descriptor) })
    {
      status = try Spawn.wait(process)
    }
    return CommandResult(
      status: status, standardOutput: try outputs[0].contents, standardError: try outputs[1].contents)
  }

  /// Runs several commands, as many at a time as there are processors, or as is said. The results are in the order of the commands.
  public static func run(
    all commands: [[String]], environment: [String: String] = [:],
    most: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws -> [CommandResult] {
    try concurrently(commands, most: most) { try run($0, environment: environment) }
  }

  /// The path of a program in `PATH`, or nil.
  public static func locate(_ program: String) -> String? {
    located.withLock { known in
      if let path = known[program] { return path }
      let result = try? run(["sh", "-c", "command -v \"$0\"", program])
      let path = result?.status == 0 ? result?.lines.first : nil
      known[program] = .some(path)
      return path
    }
  }

  /// What has been looked up already.
  private static let located = Mutex<[String: String?]>([:])
}

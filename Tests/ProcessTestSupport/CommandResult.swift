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
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("command-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let outputs = ["stdout", "stderr"].map { scratch.appendingPathComponent($0) }
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let change = folder.map { ["env", "--chdir=\($0.path)"] } ?? []
    let status = try spawn(change + command, environment: variables, outputs: outputs.map(\.path))
    let texts = try outputs.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    // As wait(2) has it: the signal in 7 bits, or the exit status in the 8 above.
    let signal = status & 0x7f
    return CommandResult(
      status: signal != 0 ? -signal : status >> 8 & 0xff, standardOutput: texts[0], standardError: texts[1])
  }

  /// Runs a command to its end, and returns its status as wait(2) has it. Not by Foundation's `Process`, which notices the end of
  /// a program up to 50 ms late: most programs here take less than that.
  private static func spawn(_ command: [String], environment: [String: String], outputs: [String]) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (descriptor, path) in zip([Int32(1), 2], outputs) {
      posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }

    // No signal is blocked, whatever this thread has blocked.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let words = (command.map { strdup($0) }) + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var process: pid_t = 0
    let error = posix_spawnp(&process, command[0], &actions, &attributes, words, variables)
    // As a shell has it.
    if error == ENOENT { return 127 << 8 }
    guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECHILD) }
    }
    return status
  }

  /// Runs several commands, as many at a time as there are processors. The results are in the order of the commands.
  public static func run(all commands: [[String]], environment: [String: String] = [:]) throws -> [CommandResult] {
    let work = Work(commands.count)
    let group = DispatchGroup()
    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
      group.enter()
      Thread {
        while let index = work.next() { work.set(index, Result { try run(commands[index], environment: environment) }) }
        group.leave()
      }.start()
    }
    group.wait()
    return try work.all()
  }

  /// What several threads take, and what they have made of it.
  private final class Work: @unchecked Sendable {
    private let lock = NSLock()
    private var taken = 0
    private var results: [Result<CommandResult, any Error>?]

    init(_ count: Int) { results = Array(repeating: nil, count: count) }

    func next() -> Int? {
      lock.withLock {
        defer { taken += 1 }
        return taken < results.count ? taken : nil
      }
    }

    func set(_ index: Int, _ result: Result<CommandResult, any Error>) {
      lock.withLock { results[index] = result }
    }

    func all() throws -> [CommandResult] { try results.compactMap { try $0?.get() } }
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

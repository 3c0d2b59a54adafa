// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What a finished command left: its exit status and its output.
public struct CommandResult: Sendable {
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
    let outputs = try ["stdout", "stderr"].map { name in
      let file = scratch.appendingPathComponent(name)
      try Data().write(to: file)
      return file
    }

    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputs[0])
    process.standardError = try FileHandle(forWritingTo: outputs[1])
    try process.run()
    process.waitUntilExit()

    let texts = try outputs.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    let status = process.terminationStatus
    return CommandResult(
      status: process.terminationReason == .uncaughtSignal ? -status : status,
      standardOutput: texts[0], standardError: texts[1])
  }

  /// Runs several commands, as many at a time as there are processors. The results are in the order of the commands.
  ///
  /// On threads of its own: those of Dispatch have signals blocked, and what they start would, too.
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
    let result = try? run(["sh", "-c", "command -v \"$0\"", program])
    return result?.status == 0 ? result?.lines.first : nil
  }
}

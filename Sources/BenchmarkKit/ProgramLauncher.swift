// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// Runs programs through the executable `benchmark-launcher`, so that each one's peak RSS is its own.
///
/// A process inherits the peak RSS of the process that forked it, so a program that this process started itself would
/// report at least as much as this process ever held. The launcher is a small process in between.
public struct ProgramLauncher: Sendable {
  /// The path of the executable `benchmark-launcher`.
  public let path: String

  public init(path: String) {
    self.path = path
  }

  /// Runs a program to its end and measures it. Its standard input is empty.
  ///
  /// The program is in a process group of its own. Nothing that descends from it is left afterwards; also not when this
  /// process dies.
  ///
  /// - Parameters:
  ///   - command: the program.
  ///   - load: what makes it a server; nil for a program that ends by itself.
  ///   - timeoutSeconds: the program is killed after this time; nil is no limit.
  ///   - watchesMemory: whether to look at its memory while it runs.
  /// - Returns: the run. A program that fails, or does not even start, is a run too: see ``ProgramRun/failure``.
  /// - Throws: ``SystemError`` if the launcher itself cannot be started, or if ``Interruption`` ends the run.
  public func run(
    _ command: Command, load: ServerLoad? = nil, timeoutSeconds: Double? = nil, watchesMemory: Bool = false
  ) throws(SystemError) -> ProgramRun {
    let program = try start(command, timeoutSeconds: timeoutSeconds, watchesMemory: watchesMemory)
    guard let load else { return try program.result() }
    return try load.drive(program, launcher: self)
  }

  /// Starts a program. See ``run(_:load:timeoutSeconds:watchesMemory:)``.
  public func start(_ command: Command, timeoutSeconds: Double? = nil, watchesMemory: Bool = false) throws(SystemError)
    -> RunningProgram
  {
    let output = try UnnamedFile()
    let errorOutput = try UnnamedFile()
    var result: [Int32] = [-1, -1]
    guard pipe(&result) == 0 else { throw SystemError(doing: "pipe") }
    for descriptor in result { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    defer { close(result[1]) }

    let resultDescriptor: Int32 = 3
    let timeoutMilliseconds = timeoutSeconds.map { max(1, Int($0 * 1000)) } ?? 0
    // What steers the dynamic linker is for the program, not for the launcher: a library that is loaded before it would
    // raise the peak that the program inherits.
    let environment = environment(of: command)
    let forLinker = environment.filter { $0.hasPrefix("LD_") }
    let arguments =
      [path, "\(resultDescriptor)", "\(timeoutMilliseconds)"] + forLinker + ["--", command.executable]
      + command.arguments
    do {
      let launcher = try spawn(
        arguments, environment: environment.filter { !$0.hasPrefix("LD_") },
        descriptors: [output.descriptor, errorOutput.descriptor, result[1]])
      return RunningProgram(
        launcher: launcher, launcherPath: path, result: result[0], output: output, errorOutput: errorOutput,
        watchesMemory: watchesMemory)
    } catch {
      close(result[0])
      throw error
    }
  }

  private func environment(of command: Command) -> [String] {
    var all: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      all[String(pair[0])] = pair.count > 1 ? String(pair[1]) : ""
      entry += 1
    }
    for (name, value) in command.environment { all[name] = value }
    return all.map { "\($0)=\($1)" }
  }

  /// Spawns the launcher with `descriptors` as its 1, 2, 3, ….
  private func spawn(_ arguments: [String], environment: [String], descriptors: [Int32]) throws(SystemError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    // First above all that are given, then down: a descriptor may be one of the numbers that are being given away.
    let above = (descriptors.max() ?? 0) + Int32(descriptors.count) + 1
    for (index, descriptor) in descriptors.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, above + Int32(index))
    }
    for index in descriptors.indices {
      posix_spawn_file_actions_adddup2(&actions, above + Int32(index), Int32(index) + 1)
      posix_spawn_file_actions_addclose(&actions, above + Int32(index))
    }
    var argv = arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for string in argv + envp { free(string) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, path, &actions, nil, &argv, &envp)
    guard code == 0 else { throw SystemError(doing: "start \(path)", code: code) }
    return pid
  }
}

extension ProgramRun {
  /// Reads the line that the launcher writes.
  init?(line: String, output: String, errorOutput: String) {
    let words = line.split(whereSeparator: \.isWhitespace)
    let numbers = words.dropFirst().compactMap { Int($0) }
    guard words.count == 10, numbers.count == 9 else { return nil }
    switch words[0] {
    case "exited": ending = .exited(numbers[0])
    case "signaled": ending = .signaled(numbers[0])
    case "timeout": ending = .timedOut
    case "unstartable": ending = .unstartable(numbers[0])
    default: return nil
    }
    wallSeconds = Double(numbers[1]) / 1e9
    userSeconds = Double(numbers[2]) / 1e9
    systemSeconds = Double(numbers[3]) / 1e9
    peakResidentBytes = numbers[4] * 1024
    minorFaults = numbers[5]
    majorFaults = numbers[6]
    voluntarySwitches = numbers[7]
    involuntarySwitches = numbers[8]
    self.output = output
    self.errorOutput = errorOutput
  }
}

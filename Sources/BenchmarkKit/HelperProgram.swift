// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A small program of the system that answers a question.
public enum HelperProgram {
  /// Runs `path` to its end and returns what it printed; nil if it is not there or failed.
  ///
  /// - Parameters:
  ///   - path: the program's file.
  ///   - arguments: what follows the program's name.
  ///   - environment: the whole environment; nil is this process's own without `LD_PRELOAD`.
  public static func output(of path: String, _ arguments: [String], environment: [String: String]? = nil) -> String? {
    guard access(path, X_OK) == 0 else { return nil }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    for descriptor in ends { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    let environment = environment ?? ProcessInfo.processInfo.environment.filter { $0.key != "LD_PRELOAD" }
    let process = spawn([path] + arguments, environment: environment, output: ends[1])
    close(ends[1])
    let output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
    guard let process else { return nil }
    let data = try? output.readToEnd()
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    // It has ended by itself, and well (wait(2)).
    guard status == 0 else { return nil }
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  /// Starts a program that reads nothing, and whose errors nobody reads. Foundation's `Process` would notice its end up to 50 ms late.
  private static func spawn(_ command: [String], environment: [String: String], output: Int32) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    let words = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var process: pid_t = 0
    return posix_spawn(&process, command[0], &actions, nil, words, variables) == 0 ? process : nil
  }
}

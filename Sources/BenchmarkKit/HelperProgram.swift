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
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment =
      environment ?? ProcessInfo.processInfo.environment.filter { $0.key != "LD_PRELOAD" }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self)
  }
}

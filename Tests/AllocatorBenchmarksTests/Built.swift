// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// What the package manager built beside the executable of the tests.
enum Built {
  static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

  static func path(of executable: String) -> String {
    folder.appendingPathComponent(executable).path
  }

  /// Runs a program, five minutes at most.
  static func run(_ command: Command) throws -> ProgramRun {
    try ProgramLauncher(path: path(of: "benchmark-launcher")).run(command, timeoutSeconds: 300)
  }

  /// Makes a folder that is removed when `body` has ended.
  static func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("benchmarks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The executable `allocators` that the package manager built beside the executable of the tests.
enum Tool {
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("allocators").path

  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> CommandResult {
    try CommandResult.run([path] + arguments, environment: environment)
  }

  /// The same for several commands, as many at a time as there are processors.
  static func run(all arguments: [[String]], environment: [String: String] = [:]) throws -> [CommandResult] {
    try CommandResult.run(all: arguments.map { [path] + $0 }, environment: environment)
  }

  /// An environment in which no `llvm-symbolizer` is found. What it does takes longer than all the rest of a profile.
  static let withoutSymbolizer = ["PATH": "/nowhere"]

  /// Checks that a command says one line on standard error, nothing on standard output, and ends with `status`.
  static func checkRefusal(
    _ arguments: [String], status: Int32, says text: String, file: StaticString = #filePath, line: UInt = #line
  ) throws {
    try checkRefusals([(arguments, status, text)], file: file, line: line)
  }

  /// The same for several commands, each with its status and what it says, as many at a time as there are processors.
  static func checkRefusals(
    _ refusals: [(arguments: [String], status: Int32, text: String)], file: StaticString = #filePath,
    line: UInt = #line
  ) throws {
    let results = try CommandResult.run(all: refusals.map { [path] + $0.arguments })
    for ((arguments, status, text), result) in zip(refusals, results) {
      let said = "\(arguments): \(result.transcript)"
      XCTAssertEqual(result.status, status, said, file: file, line: line)
      XCTAssertEqual(result.standardOutput, "", said, file: file, line: line)
      let lines = result.standardError.split(separator: "\n", omittingEmptySubsequences: false)
      XCTAssertEqual(lines.count, 2, "one line and its end: \(said)", file: file, line: line)
      XCTAssert(result.standardError.hasPrefix("allocators: "), said, file: file, line: line)
      XCTAssert(result.standardError.contains(text), "'\(text)' in: \(said)", file: file, line: line)
    }
  }

  /// The path of a known library, or skips the test.
  static func library(_ name: String) throws -> String {
    guard let path = try listed.get().first(where: { $0.first == name })?.last, path.hasPrefix("/") else {
      throw XCTSkip("\(name) is not installed")
    }
    return path
  }

  private static let listed = Result { try run(["list"]).lines.map { $0.split(separator: " ").map(String.init) } }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport

/// A program of C files of `Tests/Fixtures`, without a word of Swift.
struct CProgram {
  let path: String

  /// Compiles `file`, a path within `Tests/Fixtures`, in C or C++. Calls of malloc stay as they are written.
  init(_ file: String) throws {
    let source = Repository.fixtures.appendingPathComponent(file)
    let compiler =
      source.pathExtension == "cpp"
      ? ["clang++", "-std=c++17", "-fsized-deallocation", "-faligned-allocation"] : ["clang"]
    path = try CompiledFixture.file(source.lastPathComponent.replacingOccurrences(of: ".", with: "-")) { path in
      compiler + ["-O1", "-fno-builtin", "-Wall", "-Wextra", "-Werror", source.path, "-o", path, "-pthread", "-ldl"]
    }
  }

  /// The cases of `Tests/Fixtures/Programs/Sources/CCases`, as a program that runs those that it is told.
  init(cases folderName: String) throws {
    let sources = Repository.fixtures.appendingPathComponent(folderName)
    let main = Repository.fixtures.appendingPathComponent("PreloadPrograms/cases.c")
    path = try CompiledFixture.file("cases") { path in
      ["sh", "-c", #"clang -O1 -I "$1/include" "$1"/*.c "$2" -o "$3" -pthread"#, "sh", sources.path, main.path, path]
    }
  }

  /// What has each of those cases, and the laws of the contract in a program, do what it does less often, so that it takes a small part of the time.
  static func environment(isShort: Bool) -> [String: String] { isShort ? ["SHORT_CASES": "1"] : [:] }

  /// Runs it with `library` preloaded, or with none.
  func run(_ arguments: [String] = [], preloading library: String? = nil) throws -> CommandResult {
    try CommandResult.run([path] + arguments, environment: library.map { ["LD_PRELOAD": $0] } ?? [:])
  }

  /// Runs it once with each of `arguments`, several at a time, with `library` preloaded or with none.
  func run(each arguments: [String], preloading library: String? = nil) throws -> [CommandResult] {
    try CommandResult.run(all: arguments.map { [path, $0] }, environment: library.map { ["LD_PRELOAD": $0] } ?? [:])
  }
}

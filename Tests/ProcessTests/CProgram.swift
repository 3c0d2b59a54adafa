// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport

/// A program of C files of `Tests/Fixtures`, without a word of Swift.
struct CProgram {
  let path: String
  private let folder: TemporaryFolder

  /// Compiles `file`, a path within `Tests/Fixtures`. Calls of malloc stay as they are written.
  init(_ file: String) throws {
    let source = Repository.fixtures.appendingPathComponent(file)
    folder = try TemporaryFolder()
    path = folder.path(source.deletingPathExtension().lastPathComponent)
    let compiled = try CommandResult.run([
      "clang", "-O1", "-fno-builtin", "-Wall", "-Wextra", "-Werror", source.path, "-o", path, "-pthread", "-ldl",
    ])
    guard compiled.status == 0 else { throw FixturePackage.BuildFailure(description: compiled.transcript) }
  }

  /// The cases of `Tests/Fixtures/Programs/Sources/CCases`, as a program that runs those that it is told.
  init(cases folderName: String) throws {
    let sources = Repository.fixtures.appendingPathComponent(folderName)
    let main = Repository.fixtures.appendingPathComponent("PreloadPrograms/cases.c")
    folder = try TemporaryFolder()
    path = folder.path("cases")
    let compiled = try CommandResult.run([
      "sh", "-c", #"clang -O1 -I "$1/include" "$1"/*.c "$2" -o "$3" -pthread"#, "sh", sources.path, main.path, path,
    ])
    guard compiled.status == 0 else { throw FixturePackage.BuildFailure(description: compiled.transcript) }
  }

  /// Runs it with `library` preloaded, or with none.
  func run(_ arguments: [String] = [], preloading library: String? = nil) throws -> CommandResult {
    try CommandResult.run([path] + arguments, environment: library.map { ["LD_PRELOAD": $0] } ?? [:])
  }

  /// Runs it once with each of `arguments`, several at a time, with `library` preloaded or with none.
  func run(each arguments: [String], preloading library: String? = nil) throws -> [CommandResult] {
    try CommandResult.run(all: arguments.map { [path, $0] }, environment: library.map { ["LD_PRELOAD": $0] } ?? [:])
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import Foundation
import Glibc

/// Becomes the program, on the allocator.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a program on an allocator.",
    discussion: """
      The allocator's library is preloaded (ld.so(8)), and this process becomes the program: its process id, its exit \
      status and its signals are the program's own.
      """)

  @Option(help: ArgumentHelp("One of those that `allocators list` shows.", valueName: "name"))
  var allocator: String

  @OptionGroup var libraries: LibraryOptions

  @Argument(parsing: .captureForPassthrough, help: "The program and its arguments, after --.")
  var command: [String] = []

  func run() throws {
    let words = try CommandWords(command)
    let chosen = try libraries.catalog().allocator(named: allocator)
    let program = try ProgramFile(named: words.program)
    try Preload.check(program, on: chosen)
    if let value = Preload.value(for: chosen, current: ProcessInfo.processInfo.environment["LD_PRELOAD"]) {
      setenv("LD_PRELOAD", value, 1)
    } else {
      unsetenv("LD_PRELOAD")
    }
    let argv: [UnsafeMutablePointer<CChar>?] = words.all.map { strdup($0) } + [nil]
    // execvp also runs a script without a first line, like a shell.
    execvp(program.path.contains("/") ? program.path : "./\(program.path)", argv)
    throw ToolFailure("\(words.program): \(String(cString: strerror(errno)))", .cannotRun)
  }
}

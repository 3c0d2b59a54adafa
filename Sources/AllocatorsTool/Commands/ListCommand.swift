// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser

/// Shows the allocators of this machine.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Shows the allocators of this machine.",
    discussion: "The version is what the library itself answers, in a process that runs on it.")

  @OptionGroup var libraries: LibraryOptions

  func run() throws {
    let catalog = try libraries.catalog()
    var table = Columns(["name", "version", "path"])
    for allocator in catalog.allocators {
      switch allocator.source {
      case .system: table.add([allocator.name, AskCommand.systemVersion, "part of the C library"])
      case .library(let path): table.add([allocator.name, try AskCommand.ask(path: path), path])
      case .missing(let hint): table.add([allocator.name, "-", "not installed (\(hint))"])
      }
    }
    for line in table.lines { print(line) }
  }
}

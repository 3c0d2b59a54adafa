// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit

/// Shows the allocators of this machine.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Shows the allocators of this machine.",
    discussion: "The version is what the library itself answers, in a process that runs on it.")

  @OptionGroup var libraries: LibraryOptions

  func run() throws {
    let catalog = try libraries.catalog()
    var table = TextTable([("name", .left), ("version", .left), ("path", .left)])
    for allocator in catalog.allocators {
      switch allocator.source {
      case .system: table.addRow([allocator.name, Machine.libcVersion, "part of the C library"])
      case .library(let path): table.addRow([allocator.name, try AskCommand.ask(path: path), path])
      case .missing(let hint): table.addRow([allocator.name, "-", "not installed (\(hint))"])
      }
    }
    for line in table.lines { print(line) }
  }
}

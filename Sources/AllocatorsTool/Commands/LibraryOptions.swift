// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser

/// Where allocators come from, for every command that takes one.
struct LibraryOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A library for LD_PRELOAD as one more allocator, or in place of one; may be given more than once.",
      valueName: "name=path"))
  var library: [String] = []

  func catalog() throws(ToolFailure) -> AllocatorCatalog {
    try AllocatorCatalog(adding: library)
  }
}

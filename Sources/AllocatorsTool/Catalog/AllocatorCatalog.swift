// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// The allocators that a program of this machine can be run on, the system's first.
struct AllocatorCatalog: Sendable {
  /// What is known of an allocator before it is looked for.
  private struct Kind {
    var name: String
    /// The library's names, the preferred first.
    var libraries: [String]
    var hint: String
  }

  private static let kinds = [
    Kind(
      name: "jemalloc", libraries: ["libjemalloc.so.2"], hint: "apt-get install libjemalloc2"),
    Kind(
      name: "mimalloc", libraries: ["libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so.2.0"],
      hint: "apt-get install libmimalloc2.0"),
    Kind(
      name: "tcmalloc", libraries: ["libtcmalloc_minimal.so.4", "libtcmalloc.so.4"],
      hint: "apt-get install libtcmalloc-minimal4"),
  ]

  private(set) var allocators: [KnownAllocator]

  /// Looks for the known allocators, and takes in those that the user names.
  ///
  /// - Parameter libraries: `NAME=PATH` each; a name that is known takes the known one's place.
  /// - Throws: ``ToolFailure`` if one of these is not written so, or leads to no shared library.
  init(adding libraries: [String] = []) throws(ToolFailure) {
    allocators = [KnownAllocator(name: "system", source: .system), Self.nest]
    let installed = SharedLibraryDirectory()
    for kind in Self.kinds {
      let path = kind.libraries.lazy.compactMap { installed.path(of: $0) }.first
      allocators.append(
        KnownAllocator(name: kind.name, source: path.map { .library(path: $0) } ?? .missing(hint: kind.hint)))
    }
    for library in libraries {
      let added = try Self.parse(library)
      if let index = allocators.firstIndex(where: { $0.name == added.name }) {
        allocators[index] = added
      } else {
        allocators.append(added)
      }
    }
  }

  /// The allocators that a program can be run on.
  var installed: [KnownAllocator] { allocators.filter(\.isInstalled) }

  /// Returns the allocator `name`.
  ///
  /// - Throws: ``ToolFailure`` if it is unknown or not installed.
  func allocator(named name: String) throws(ToolFailure) -> KnownAllocator {
    guard let found = allocators.first(where: { $0.name == name }) else {
      throw ToolFailure(
        "there is no allocator '\(name)'; there are \(allocators.map(\.name).joined(separator: ", ")),"
          + " and --library NAME=PATH adds one", .usage)
    }
    if case .missing(let hint) = found.source {
      throw ToolFailure("\(name) is not installed (\(hint))", .unavailable)
    }
    return found
  }

  /// Nest's library, which is built beside this executable.
  private static var nest: KnownAllocator {
    let path = ThisExecutable.folder + "/libNestPreload.so"
    return KnownAllocator(
      name: "nest",
      source: FileManager.default.fileExists(atPath: path)
        ? .library(path: path) : .missing(hint: "swift build -c release --product NestPreload"))
  }

  private static func parse(_ text: String) throws(ToolFailure) -> KnownAllocator {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, parts[0] != "system" else {
      throw ToolFailure("--library takes NAME=PATH, not '\(text)'", .usage)
    }
    guard !parts[1].contains(where: { $0 == ":" || $0 == " " }) else {
      throw ToolFailure(
        "--library: LD_PRELOAD cannot hold the path '\(parts[1])', because of its space or colon", .usage)
    }
    let path = URL(fileURLWithPath: parts[1]).path
    guard let image = try? ELFImage(contentsOf: path), image.type == .sharedObject, image.isForThisMachine else {
      throw ToolFailure("--library: \(parts[1]) is not a shared library of this machine", .noInput)
    }
    return KnownAllocator(name: parts[0], source: .library(path: path))
  }
}

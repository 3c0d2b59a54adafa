// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// The allocators that a program of this machine can be run on, the system's first.
struct AllocatorCatalog: Sendable {
  private(set) var allocators: [KnownAllocator]

  /// Looks for the known allocators, and takes in those that the user names.
  ///
  /// - Parameter libraries: `NAME=PATH` each; a name that is known takes the known one's place.
  /// - Throws: ``ToolFailure`` if one of these is not written so, or leads to no shared library.
  init(adding libraries: [String] = []) throws(ToolFailure) {
    allocators = [
      KnownAllocator(name: "system", source: .system), Self.nest("nest", "NestPreload"),
      Self.nest("nest-hardened", "NestHardenedPreload"),
    ]
    let installed = SharedLibraryDirectory()
    for known in PreloadLibrary.known {
      let source: KnownAllocator.Source =
        known.installed(in: installed).map { .library(path: $0.path) }
        ?? .missing(hint: "apt-get install \(known.package)")
      allocators.append(KnownAllocator(name: known.name, source: source))
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

  /// A library of Nest's, which is built beside this executable.
  private static func nest(_ name: String, _ product: String) -> KnownAllocator {
    let path = ThisExecutable.folder + "/lib\(product).so"
    return KnownAllocator(
      name: name,
      source: FileManager.default.fileExists(atPath: path)
        ? .library(path: path) : .missing(hint: "swift build -c release --product \(product)"))
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

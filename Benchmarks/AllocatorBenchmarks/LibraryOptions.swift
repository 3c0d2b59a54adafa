// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation

/// The options of the commands that run a program under each allocator that can be preloaded.
struct LibraryOptions: ParsableArguments {
  /// The allocator that always runs.
  static let baseline = "glibc"

  @Option(help: ArgumentHelp("Which allocators; all that are installed if not given.", valueName: "a,b"))
  var allocators: CommaSeparated?

  @Option(help: ArgumentHelp("The preload library of the allocator nest.", valueName: "file"))
  var nest: String?

  /// The libraries beside ``baseline``, in the order of the table.
  func chosen() throws -> [PreloadLibrary] {
    var installed = PreloadLibrary.known.compactMap(\.installed)
    if let nest {
      guard FileManager.default.fileExists(atPath: nest) else {
        throw ValidationError("--nest: there is no file \(nest).")
      }
      installed.append(PreloadLibrary(name: "nest", path: URL(fileURLWithPath: nest).path))
    } else if let path = try? Siblings.path(of: "libNestPreload.so") {
      installed.append(PreloadLibrary(name: "nest", path: path))
    }
    if let path = try? Siblings.path(of: "libNestHardenedPreload.so") {
      installed.append(PreloadLibrary(name: "nest-hardened", path: path))
    }
    guard let allocators else { return installed }
    for known in PreloadLibrary.known where allocators.elements.contains(known.name) && known.installed == nil {
      throw ValidationError("\(known.name) is not installed: apt-get install \(known.package)")
    }
    let names = [Self.baseline] + installed.map(\.name)
    return try allocators.selection(of: names, named: { $0 }, option: "--allocators").compactMap { name in
      installed.first { $0.name == name }
    }
  }
}

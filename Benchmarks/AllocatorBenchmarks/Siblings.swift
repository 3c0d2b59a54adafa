// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import Foundation

/// The executables of this package that stand beside this one.
enum Siblings {
  /// Returns the path of the executable `name`.
  ///
  /// What the package manager builds for a plugin has "-tool" after its name; where it built both, the newer one is what
  /// the sources say now.
  static func path(of name: String) throws -> String {
    let folder = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      .deletingLastPathComponent()
    let candidates = ["\(name)-tool", name].compactMap { name -> (path: String, date: Date)? in
      let path = folder.appendingPathComponent(name).path
      guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
      return (path, attributes[.modificationDate] as? Date ?? .distantPast)
    }
    guard let newest = candidates.max(by: { $0.date < $1.date }) else {
      throw ValidationError("There is no executable \(name) in \(folder.path): build it with this one.")
    }
    return newest.path
  }
}

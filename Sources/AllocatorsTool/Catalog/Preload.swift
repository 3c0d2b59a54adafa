// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// The value of `LD_PRELOAD` that puts a program on an allocator.
enum Preload {
  /// Returns the variable's new value, or nil if it is to be unset.
  ///
  /// Libraries that were preloaded before stay, behind the allocator; those that bring a malloc of their own do not: of two
  /// the first would win, and on `system` none may.
  ///
  /// - Parameter current: the variable's present value.
  static func value(for allocator: KnownAllocator, current: String?) -> String? {
    let kept = (current ?? "").split(whereSeparator: { $0 == ":" || $0 == " " }).map(String.init).filter { path in
      (try? ELFImage(contentsOf: path, depth: .dynamicSymbols))?.exports("malloc") != true
    }
    var libraries = kept
    if case .library(let path) = allocator.source { libraries.insert(path, at: 0) }
    return libraries.isEmpty ? nil : libraries.joined(separator: ":")
  }

  /// Checks that `program` would run on `allocator`.
  ///
  /// - Throws: ``ToolFailure`` if it would ignore the library.
  static func check(_ program: ProgramFile, on allocator: KnownAllocator) throws(ToolFailure) {
    guard case .library = allocator.source, let obstacle = program.preloadObstacle else { return }
    throw ToolFailure("cannot run on \(allocator.name): \(obstacle)", .cannotRun)
  }
}

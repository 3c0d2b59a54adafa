// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// An allocator that can be put under a program.
struct KnownAllocator: Equatable, Sendable {
  /// Where it comes from.
  enum Source: Equatable, Sendable {
    /// The C library's own: nothing is preloaded.
    case system
    /// A library for LD_PRELOAD, by its absolute path.
    case library(path: String)
    /// Known, but not on this machine; what to do about it.
    case missing(hint: String)
  }

  /// The name on the command line.
  var name: String
  var source: Source

  /// Whether a program can be run on it.
  var isInstalled: Bool {
    if case .missing = source { false } else { true }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A shared library that takes over malloc in a program that is started with `LD_PRELOAD`.
public struct PreloadLibrary: Sendable, Equatable {
  /// What the allocator is called.
  public let name: String

  /// The path of the library.
  public let path: String

  public init(name: String, path: String) {
    self.name = name
    self.path = path
  }

  /// An allocator that Debian has, whether it is installed or not.
  public struct Known: Sendable {
    public let name: String

    /// The file names of the library, the preferred one first.
    public let files: [String]

    /// Debian's package.
    public let package: String

    /// The library, where it is installed.
    public var installed: PreloadLibrary? {
      for file in files {
        for folder in PreloadLibrary.folders where FileManager.default.fileExists(atPath: "\(folder)/\(file)") {
          return PreloadLibrary(name: name, path: "\(folder)/\(file)")
        }
      }
      return nil
    }
  }

  /// The allocators that Debian has.
  public static let known = [
    Known(name: "jemalloc", files: ["libjemalloc.so.2"], package: "libjemalloc2"),
    Known(name: "mimalloc", files: ["libmimalloc.so.2.0", "libmimalloc.so.2"], package: "libmimalloc2.0"),
    Known(name: "tcmalloc", files: ["libtcmalloc_minimal.so.4"], package: "libtcmalloc-minimal4"),
  ]

  private static let folders = [
    "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
  ]

  /// What the environment of a program has to say for it to run on this library; on the C library's allocator for nil.
  public static func environment(for library: PreloadLibrary?) -> [String: String?] {
    ["LD_PRELOAD": library?.path]
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

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

    /// The library, where the dynamic loader finds it.
    public var installed: PreloadLibrary? { installed(in: SharedLibraryDirectory()) }

    /// The same, of a directory that has been read already.
    public func installed(in directory: SharedLibraryDirectory) -> PreloadLibrary? {
      files.lazy.compactMap { directory.path(of: $0) }.first.map { PreloadLibrary(name: name, path: $0) }
    }
  }

  /// The allocators that Debian has: the one list of them.
  public static let known = [
    Known(name: "jemalloc", files: ["libjemalloc.so.2"], package: "libjemalloc2"),
    Known(
      name: "mimalloc", files: ["libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so.2.0"], package: "libmimalloc2.0"
    ),
    Known(
      name: "tcmalloc", files: ["libtcmalloc_minimal.so.4", "libtcmalloc.so.4"], package: "libtcmalloc-minimal4"),
  ]

  /// What the environment of a program has to say for it to run on this library; on the C library's allocator for nil.
  public static func environment(for library: PreloadLibrary?) -> [String: String?] {
    ["LD_PRELOAD": library?.path]
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// The shared libraries that the dynamic loader would find by name (ld.so(8)): those of `LD_LIBRARY_PATH`, then those of
/// its cache.
public struct SharedLibraryDirectory: Sendable {
  /// The paths of each name in the cache: there may be one for each architecture.
  private let cached: [Substring: [Substring]]
  private let folders: [String]

  /// Reads the loader's cache, by ldconfig(8), the first time in a process; later ones have what was there then.
  public init() {
    folders = (ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").map(String.init)
    cached = Self.cache
  }

  private static let cache: [Substring: [Substring]] = {
    let programs = ["/sbin/ldconfig", "/usr/sbin/ldconfig"]
    var cached: [Substring: [Substring]] = [:]
    guard let output = programs.lazy.compactMap({ HelperProgram.output(of: $0, ["-p"]) }).first else { return cached }
    // "	libjemalloc.so.2 (libc6,x86-64) => /lib/x86_64-linux-gnu/libjemalloc.so.2"
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 4, words[words.count - 2] == "=>" else { continue }
      cached[words[0].drop { $0 == "\t" }, default: []].append(words[words.count - 1])
    }
    return cached
  }()

  /// The path of the library `name`, such as "libjemalloc.so.2", for this machine's own programs; nil if the loader would
  /// not find it.
  public func path(of name: String) -> String? {
    let paths = folders.map { "\($0)/\(name)" } + (cached[name[...]] ?? []).map(String.init)
    return paths.first(where: Self.isForThisMachine)
  }

  /// Whether a file is an ELF file of this process's own class, byte order and processor.
  private static func isForThisMachine(_ path: String) -> Bool {
    guard let own = header(of: "/proc/self/exe"), let other = header(of: path) else { return false }
    return own[0..<6] == other[0..<6] && own[18..<20] == other[18..<20]
  }

  /// The first 20 bytes: magic number, class, byte order …, type, machine (elf(5)).
  private static func header(of path: String) -> [UInt8]? {
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 20), data.count == 20
    else {
      return nil
    }
    return [UInt8](data)
  }
}

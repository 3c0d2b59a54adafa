// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// The shared libraries that the dynamic loader would find by name (ld.so(8)): those of `LD_LIBRARY_PATH`, then those of
/// its cache.
struct SharedLibraryDirectory: Sendable {
  /// The paths of each name in the cache: there may be one for each architecture.
  private var cached: [Substring: [Substring]] = [:]
  private let folders: [String]

  init() {
    folders = (ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").map(String.init)
    guard
      let output = ["/sbin/ldconfig", "/usr/sbin/ldconfig"].lazy.compactMap({ HelperProgram.output(of: $0, ["-p"]) })
        .first
    else { return }
    // "	libjemalloc.so.2 (libc6,x86-64) => /lib/x86_64-linux-gnu/libjemalloc.so.2"
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 4, words[words.count - 2] == "=>" else { continue }
      cached[words[0].drop { $0 == "\t" }, default: []].append(words[words.count - 1])
    }
  }

  /// The path of the library `name`, such as "libjemalloc.so.2", for this machine's own programs; nil if the loader would
  /// not find it.
  func path(of name: String) -> String? {
    let paths = folders.map { "\($0)/\(name)" } + (cached[name[...]] ?? []).map(String.init)
    return paths.first { (try? ELFImage(contentsOf: $0))?.isForThisMachine == true }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What the build of a fixture is made of, by the sizes of the files and the times at which they were changed last: the sources of
/// this package, those of the fixtures, and the compiler.
public struct SourceState: Codable, Equatable {
  /// A line for each file.
  private var files: [String]

  /// - Parameter folders: what else there is, if it is not in this package.
  public init(of folders: [URL]) throws {
    let others = folders.filter { !$0.path.hasPrefix(Repository.fixtures.path + "/") }
    files = Self.ofThisPackage + others.flatMap(Self.lines)
  }

  /// What was written before; nil where there is none that can be read.
  public init?(contentsOf file: URL) {
    guard let data = try? Data(contentsOf: file), let known = try? JSONDecoder().decode(Self.self, from: data) else {
      return nil
    }
    self = known
  }

  public func write(to file: URL) throws { try JSONEncoder().encode(self).write(to: file, options: .atomic) }

  private static let ofThisPackage =
    [CommandResult.locate("swiftc") ?? "", Repository.root.appendingPathComponent("Package.swift").path].map(line)
    + [Repository.root.appendingPathComponent("Sources"), Repository.fixtures].flatMap(lines)

  /// The files in a folder, and in those within, but for the hidden ones.
  private static func lines(_ folder: URL) -> [String] {
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return paths.filter { !$0.hasPrefix(".") && !$0.contains("/.") }.sorted().map { line("\(folder.path)/\($0)") }
  }

  /// A file by its size and the time at which it was changed last.
  static func line(_ path: String) -> String {
    var status = stat()
    // What a symbolic link leads to.
    guard stat(path, &status) == 0 else { return "\(path) -" }
    return "\(path) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }
}

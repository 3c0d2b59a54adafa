// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What compilers make of fixtures that are no packages. It is in ``Repository/workspace``, and is made again when a source or the
/// Swift compiler has changed.
public enum CompiledFixture {
  /// A folder, and in it all that the command writes there.
  public static func folder(_ name: String, _ command: (URL) throws -> [String]) throws -> URL {
    let folder = Repository.workspace.appendingPathComponent("compiled/\(name)")
    try made.once(name) {
      try FileManager.default.createDirectory(
        at: folder.deletingLastPathComponent(), withIntermediateDirectories: true)
      let lock = try FileLock(folder.path + ".lock")
      defer { lock.unlock() }
      let sources = try SourceState(of: [])
      let state = folder.appendingPathExtension("state")
      if SourceState(contentsOf: state) == sources { return }
      try? FileManager.default.removeItem(at: state)
      try? FileManager.default.removeItem(at: folder)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let compiled = try CommandResult.run(command(folder))
      guard compiled.status == 0 else { throw FixturePackage.BuildFailure(description: compiled.transcript) }
      try sources.write(to: state)
    }
    return folder
  }

  /// One file: its path, which the command is given.
  public static func file(_ name: String, _ command: (String) throws -> [String]) throws -> String {
    try folder(name) { try command($0.appendingPathComponent(name).path) }.appendingPathComponent(name).path
  }

  private static let made = Once()
}

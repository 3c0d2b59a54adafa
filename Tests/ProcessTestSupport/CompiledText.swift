// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What compilers make of texts that stand in tests. It is kept for the next run, in ``Repository/workspace``, beside what it was made
/// of, and made again when the text, the command, the compiler, or a file that the command names is another one.
public enum CompiledText {
  /// Compiles a text, and returns the path of what came of it, which is not to be changed.
  ///
  /// - Parameters:
  ///   - name: of the file that is made. The text is in a file of that name and `suffix`.
  ///   - command: the compiler, and its options. Those that say which files there are come in front of these.
  public static func path(_ name: String, _ text: String, suffix: String = "c", _ command: [String]) throws -> String {
    let compiler = CommandResult.locate(command[0]) ?? command[0]
    let files = [compiler] + command.dropFirst().filter { $0.hasPrefix("/") }
    let key = ([name, suffix] + command + files.map(SourceState.line) + [text]).joined(separator: "\n")
    let folder = Repository.workspace.appendingPathComponent("compiled/texts/\(name)-\(hash(key))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let product = folder.appendingPathComponent(name).path
    try made.once(folder.path) {
      let lock = try FileLock(folder.path + ".lock")
      defer { lock.unlock() }
      let state = folder.appendingPathComponent("made-of")
      let known = FileManager.default.contents(atPath: state.path)
      if known == Data(key.utf8) && FileManager.default.fileExists(atPath: product) { return }
      try? FileManager.default.removeItem(at: state)
      let source = "\(product).\(suffix)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: source))
      let result = try CommandResult.run([compiler, "-o", product, source] + command.dropFirst())
      guard result.status == 0 else { throw FixturePackage.BuildFailure(description: result.transcript) }
      try Data(key.utf8).write(to: state, options: .atomic)
    }
    return product
  }

  /// FNV-1a, for the name of a folder: one that another text has by chance is made again.
  private static func hash(_ text: String) -> String {
    let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }

  private static let made = Once()
}

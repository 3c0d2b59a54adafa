// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// The file that a command leads to, as `execvp` finds it (exec(3)).
struct ProgramFile: Equatable, Sendable {
  /// A path that can be executed.
  let path: String

  /// Finds the program `name`: in the folders of `PATH`, unless it has a slash.
  ///
  /// - Throws: ``ToolFailure`` with the statuses of a shell: 127 where there is none, 126 for one that may not be executed.
  init(named name: String) throws(ToolFailure) {
    let search = ProcessInfo.processInfo.environment["PATH"] ?? "/bin:/usr/bin"
    let candidates =
      name.contains("/")
      ? [name]
      : search.split(separator: ":", omittingEmptySubsequences: false).map { $0.isEmpty ? name : "\($0)/\(name)" }
    var isThere = false
    for candidate in candidates where !name.isEmpty {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder) else { continue }
      isThere = true
      if !isFolder.boolValue && access(candidate, X_OK) == 0 {
        path = candidate
        return
      }
    }
    throw isThere
      ? ToolFailure("\(name) is there, but not an executable file", .cannotRun)
      : ToolFailure("there is no program '\(name)'", .notFound)
  }

  init(path: String) {
    self.path = path
  }

  /// The program that a script names in its first line, `#!` (execve(2)); nil for anything else.
  var scriptInterpreter: ProgramFile? {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    guard let start = try? handle.read(upToCount: 256), start.starts(with: [0x23, 0x21]) else { return nil }
    let line = start.dropFirst(2).prefix { $0 != 0x0A }
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\t" })
    return words.first.map { ProgramFile(path: String($0)) }
  }

  /// The file that the kernel runs for this one: for a script its interpreter, else the file itself.
  var executedFile: ProgramFile {
    // A script may name a script, as the kernel allows.
    var program = self
    for _ in 0..<4 {
      guard let interpreter = program.scriptInterpreter else { break }
      program = interpreter
    }
    return program
  }

  /// Why an allocator that `LD_PRELOAD` names would not become this program's, in words; nil if it would.
  ///
  /// ld.so(8): a static program has no loader, in secure-execution mode (a setuid or setgid program) the loader ignores
  /// the variable, and a program of another architecture cannot load the library. And a program that defines malloc comes
  /// before any library.
  var preloadObstacle: String? {
    let program = executedFile
    guard let image = try? ELFImage(contentsOf: program.path, depth: .allSymbols) else { return nil }
    if !image.isForThisMachine {
      return "\(program.path) is a program for another architecture: it cannot load the library"
    }
    if image.isStaticProgram { return "\(program.path) is a static executable: it ignores LD_PRELOAD" }
    if image.type == .executable || image.interpreter != nil, image.defines("malloc") {
      let own = AllocatorCode.allocators(in: image).first ?? AllocatorCode.fiveFunctions(of: image)
      return "\(program.path) defines malloc itself\(own.map { " (\($0))" } ?? ""): no library takes its place"
    }
    var status = stat()
    if stat(program.path, &status) == 0 {
      if status.st_mode & S_ISUID != 0 && status.st_uid != getuid() {
        return "\(program.path) is a setuid program: it ignores LD_PRELOAD"
      }
      if status.st_mode & S_ISGID != 0 && status.st_gid != getgid() {
        return "\(program.path) is a setgid program: it ignores LD_PRELOAD"
      }
    }
    return nil
  }
}

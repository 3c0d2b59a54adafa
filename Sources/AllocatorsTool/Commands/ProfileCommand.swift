// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import ArgumentParser
import Foundation
import Glibc

/// Finds out who allocates what is alive in a process.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile", abstract: "Finds out who allocates a process's memory, and what of it stays alive.",
    discussion: """
      Samples for a while what the process allocates, over whichever allocator it has, and says what of it is alive at the \
      end: the answer in the first line, with the standard error of each number. The process has to have called \
      Insight.start(), or runs with ALLOCATORS_INSIGHT=1 under libInsightPreload.so or a library that has it beside it. Ctrl-C \
      ends it early, with what there is.
      """)

  @Argument(help: ArgumentHelp("A process id.", valueName: "pid"))
  var pid: Int

  @Option(help: ArgumentHelp("Where the process has its socket, if it was told a folder.", valueName: "path"))
  var folder: String?

  @Option(help: ArgumentHelp("How long.", valueName: "seconds"))
  var seconds: Double = 30

  @Option(
    help: ArgumentHelp("Bytes between samples, on average: 524288, 512K or 1M. Less is more exact.", valueName: "size"))
  var interval: String = "512K"

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Where to write: .pb.gz for `go tool pprof`, .html for a flame graph, .folded, .txt. Else text is printed.",
      valueName: "file"))
  var output: String?

  @OptionGroup var symbols: SymbolOptions

  func validate() throws {
    if !(seconds >= 0.1 && seconds <= 86_400) { throw ValidationError("--seconds is from 0.1 to 86400") }
    _ = try Self.bytes(interval)
    if let output { _ = try ProfileFile(output) }
  }

  /// Bytes between samples, as a command line says them.
  static func bytes(_ interval: String) throws -> Int {
    let digits = interval.prefix { $0.isNumber }
    let shift = ["": 0, "K": 10, "M": 20, "G": 30][interval.dropFirst(digits.count).uppercased()]
    guard let shift, let number = Int(digits),
      case let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift),
      !overflow, HeapProfiler.intervals.contains(bytes)
    else { throw ValidationError("--interval is a size from 1 byte to 1 GiB: 524288, 512K or 1M") }
    return bytes
  }

  func run() throws {
    let asked = try AskedProcess(pid, folder: folder)
    let file = try output.map { try ProfileFile($0) }
    try symbols.check()
    // Now, and not when the profile is there.
    try file?.checkWritable()
    // Before: a profile that has been started is to be stopped.
    InterruptibleWait.expect()
    let started = try asked.ask("profile-start \(Self.bytes(interval)),\(Int(seconds.rounded(.up)) + 60)")
    guard started.answer != nil else { throw ToolFailure(started.reason, .unavailable) }
    try InterruptibleWait.wait(seconds, for: pid)
    let (message, reason) = try asked.askForBytes("profile-stop pprof", patience: 60)
    guard let message else { throw ToolFailure(reason, .unavailable) }
    let profile: HeapProfile
    do {
      profile = try HeapProfile(pprof: message)
    } catch {
      throw ToolFailure("process \(pid) answers with something else than a profile: \(error.reason)", .badData)
    }
    try ProfileFile.report(profile, to: file, symbols)
  }
}

/// Files with the names of functions, for images that were stripped.
struct SymbolOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file with the symbols of a program or library that was stripped: what it was before, or its debug information. May be "
        + "given more than once.", valueName: "file"))
  var symbols: [String] = []

  /// Says so if a file cannot be read, before there is a profile.
  func check() throws(ToolFailure) {
    for path in symbols where access(path, R_OK) != 0 {
      throw ToolFailure("\(path) cannot be read: \(String(cString: strerror(errno)))", .noInput)
    }
  }
}

/// Compares two profiles.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Says what has come from one profile to another.",
    discussion: "Both are files that `allocators profile -o NAME.pb.gz` has written.")

  @Argument(help: ArgumentHelp("The first profile.", valueName: "file"))
  var before: String

  @Argument(help: ArgumentHelp("The second one.", valueName: "file"))
  var after: String

  @Option(name: [.short, .long], help: ArgumentHelp("Where to write, as in `profile`.", valueName: "file"))
  var output: String?

  @OptionGroup var symbols: SymbolOptions

  func validate() throws {
    if let output { _ = try ProfileFile(output) }
  }

  func run() throws {
    let file = try output.map { try ProfileFile($0) }
    try symbols.check()
    let (before, after) = (try ProfileFile.read(before), try ProfileFile.read(after))
    try file?.checkWritable()
    try ProfileFile.report(after.since(before), to: file, symbols)
  }
}

/// A file for a profile, in the format that its name says.
struct ProfileFile {
  private enum Format: String, CaseIterable {
    case pprof = ".pb.gz"
    case html = ".html"
    case folded = ".folded"
    case text = ".txt"
  }

  private let path: String
  private let format: Format

  init(_ path: String) throws {
    guard let format = Format.allCases.first(where: { path.hasSuffix($0.rawValue) }) else {
      let names = Format.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--output ends in one of \(names), and '\(path)' does not")
    }
    self.path = path
    self.format = format
  }

  /// Says so if the file cannot be written, and leaves one that is there as it is.
  func checkWritable() throws(ToolFailure) {
    let isThere = access(path, F_OK) == 0
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw ToolFailure("\(path) cannot be written: \(String(cString: strerror(errno)))", .cannotWrite)
    }
    close(descriptor)
    if !isThere { unlink(path) }
  }

  static func read(_ path: String) throws(ToolFailure) -> HeapProfile {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ToolFailure("\(path) cannot be read", .noInput)
    }
    do {
      return try HeapProfile(pprof: Array(data))
    } catch {
      throw ToolFailure("\(path) is no profile of this command: \(error.reason)", .badData)
    }
  }

  /// Prints the answer, and writes the file; without one, prints all.
  static func report(
    _ profile: HeapProfile, to file: ProfileFile?, _ symbols: SymbolOptions
  ) throws(ToolFailure) {
    var profile = profile
    var files: [String: String] = [:]
    for path in symbols.symbols {
      do {
        files[try profile.addSymbols(ofFile: path)] = path
      } catch {
        // The profile is there; it is not lost for this.
        profile.notes.append(error.reason)
      }
    }
    let lines = SourceLines(images: profile.images, files: files)
    profile.addLines(ofSites: 3) { lines.lines(of: $0) }
    guard let file else { return print(profile) }
    let bytes: [UInt8]
    switch file.format {
    case .pprof: bytes = profile.pprof
    case .html: bytes = Array(profile.flameGraph.utf8)
    case .folded: bytes = Array(profile.folded.utf8)
    case .text: bytes = Array("\(profile)\n".utf8)
    }
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: file.path))
    } catch {
      throw ToolFailure("\(file.path) cannot be written", .cannotWrite)
    }
    print(profile.headline)
    for note in profile.notes { print("note: \(note)") }
    print("written to \(file.path)")
  }
}

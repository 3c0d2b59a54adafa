// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A package of a user, which depends on this one by its path, and is built as the user would.
///
/// Each configuration is built in a folder of its own in ``Repository/workspace``, where the next run finds it.
public struct FixturePackage: Sendable {
  /// `Tests/Fixtures/Programs`: the package with all programs that tests start, so that each configuration is built once.
  public static let programs = FixturePackage("Programs")

  /// Where the package is.
  public let folder: URL
  private let name: String

  /// A package of `Tests/Fixtures`.
  public init(_ name: String) {
    self.init(at: Repository.fixtures.appendingPathComponent(name))
  }

  /// A package anywhere.
  public init(at folder: URL) {
    self.folder = folder
    name = folder.lastPathComponent
  }

  /// A way to build.
  public struct Configuration: Sendable, Hashable, CustomStringConvertible {
    /// The name of the folder in which it is built.
    public var description: String
    var isRelease: Bool
    var arguments: [String] = []
    /// What is built of the package `Programs`; its manifest says what there is.
    var selection = ""

    /// Whether the Swift libraries are linked statically.
    public var isStatic: Bool { selection.contains("static") }

    public static let debug = Configuration(description: "debug", isRelease: false)
    public static let release = Configuration(description: "release", isRelease: true)
    public static let staticStandardLibrary = Configuration(
      description: "static-stdlib", isRelease: true, arguments: ["--static-swift-stdlib"], selection: "static")
    public static let debugStaticStandardLibrary = Configuration(
      description: "debug-static-stdlib", isRelease: false, arguments: ["--static-swift-stdlib"], selection: "static")
    /// Linked with no dynamic library at all.
    public static let staticExecutable = Configuration(
      description: "static-executable", isRelease: true, arguments: ["-Xswiftc", "-static-executable"],
      selection: "static")
    public static let debugStaticExecutable = Configuration(
      description: "debug-static-executable", isRelease: false, arguments: ["-Xswiftc", "-static-executable"],
      selection: "static")

    /// A debug build with a sanitizer. Only single products can be built: the libraries for LD_PRELOAD cannot be linked with
    /// one.
    public static func sanitizer(_ name: String) -> Configuration {
      Configuration(description: "sanitize-\(name)", isRelease: false, arguments: ["--sanitize=\(name)"])
    }

    /// The same, built in the same folder, with more of the package's targets.
    public func with(_ selection: String) -> Configuration {
      var more = self
      more.selection += ",\(selection)"
      return more
    }

    /// The same, built in the same folder, with each target of the package, whether or not all of them can be linked that way.
    public var unrestricted: Configuration {
      var all = self
      all.selection = ""
      return all
    }

    /// The same, with more arguments of `swift build`.
    public func with(arguments: [String]) -> Configuration {
      var more = self
      more.arguments += arguments
      return more
    }
  }

  /// The folder in which a configuration is built.
  public func scratch(_ configuration: Configuration) -> URL {
    Repository.workspace.appendingPathComponent("\(name)-\(configuration)")
  }

  /// The arguments of `swift build`, `--build-path` and all.
  public func arguments(_ configuration: Configuration) -> [String] {
    [
      "--package-path", folder.path, "--scratch-path", scratch(configuration).path,
      "-c", configuration.isRelease ? "release" : "debug",
    ] + configuration.arguments
  }

  /// Builds all of the package, or one product, or one target, and returns what `swift build` said, whether it worked or not.
  ///
  /// What it said is remembered if it is as expected, and told again for as long as nothing has changed that it depends on.
  public func tryBuilding(
    _ configuration: Configuration, product: String? = nil, target: String? = nil,
    isExpected: (CommandResult) -> Bool
  ) throws -> CommandResult {
    let choice = (product.map { ["--product", $0] } ?? []) + (target.map { ["--target", $0] } ?? [])
    let scratch = scratch(configuration)
    let lock = try FileLock(scratch.path + ".lock")
    defer { lock.unlock() }
    // In the folder of what was built, so that they go together.
    let words = ["result"] + configuration.selection.split(separator: ",").map(String.init) + choice
    let file = scratch.appendingPathComponent(words.joined(separator: "-"))
    let sources = try SourceState(of: [folder])
    if let known = Remembered(file), known.sources == sources { return known.result }

    func build() throws -> CommandResult {
      try CommandResult.run(
        ["swift", "build"] + arguments(configuration) + choice,
        environment: ["FIXTURE_PROGRAMS": configuration.selection])
    }
    let isFirst = !FileManager.default.fileExists(atPath: scratch.appendingPathComponent("build.db").path)
    var result = try build()
    // SwiftPM 6.3 itself crashes now and then, in libdispatch, while it waits for a plugin.
    if result.status < 0 { result = try build() }
    // What C declares may have been inlined into modules of which SwiftPM does not know that they are to be compiled again.
    if !isFirst && !isExpected(result) {
      try FileManager.default.removeItem(at: scratch)
      result = try build()
    }
    // Another build in the same folder may undo this one, but what was linked stays.
    if isExpected(result) { try Remembered(sources: sources, result: result).write(to: file) }
    return result
  }

  /// Resolves what the package depends on, as a build would: again only when something has changed that it depends on, and the
  /// files in the folders of `others`.
  public func resolve(_ configuration: Configuration, others: [URL]) throws {
    let scratch = scratch(configuration)
    let lock = try FileLock(scratch.path + ".lock")
    defer { lock.unlock() }
    let sources = try SourceState(of: [folder] + others)
    let state = scratch.appendingPathComponent("resolved-state")
    if SourceState(contentsOf: state) == sources { return }
    let result = try CommandResult.run(
      ["swift", "package", "--package-path", folder.path, "--scratch-path", scratch.path]
        + configuration.arguments + ["resolve"], environment: ["FIXTURE_PROGRAMS": configuration.selection])
    guard result.status == 0 else { throw BuildFailure(description: result.transcript) }
    try sources.write(to: state)
  }

  /// Builds the package, if that has not been done already, and returns the folder of its products.
  @discardableResult
  public func build(_ configuration: Configuration, product: String? = nil) throws -> URL {
    try Self.built.once("\(folder.path) \(configuration) \(configuration.selection) \(product ?? "")") {
      let result = try tryBuilding(configuration, product: product) { $0.status == 0 }
      guard result.status == 0 else { throw BuildFailure(description: result.transcript) }
    }
    return scratch(configuration).appendingPathComponent(configuration.isRelease ? "release" : "debug")
      .resolvingSymlinksInPath()
  }

  /// Builds the package, and returns the path of one of its programs or libraries.
  public func path(_ configuration: Configuration, of file: String, product: String? = nil) throws -> String {
    try build(configuration, product: product).appendingPathComponent(file).path
  }

  /// A fixture that did not build, with what the compiler printed.
  public struct BuildFailure: Error, CustomStringConvertible {
    public var description: String

    public init(description: String) { self.description = description }
  }

  private static let built = Once()

  /// What `swift build` said of which sources.
  private struct Remembered: Codable {
    var sources: SourceState
    var result: CommandResult

    init(sources: SourceState, result: CommandResult) {
      self.sources = sources
      self.result = result
    }

    init?(_ file: URL) {
      guard let data = try? Data(contentsOf: file), let known = try? JSONDecoder().decode(Self.self, from: data) else {
        return nil
      }
      self = known
    }

    func write(to file: URL) throws { try JSONEncoder().encode(self).write(to: file, options: .atomic) }
  }
}

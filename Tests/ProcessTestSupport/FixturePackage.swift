// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A package of `Tests/Fixtures`, copied to a temporary folder and built there as a user's own package, which depends on
/// this one by its path.
///
/// The folder is the same from run to run, so that a second run builds only what has changed.
public struct FixturePackage: Sendable {
  /// The root of this package.
  public static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The folder of all fixtures.
  public static let fixtures = repository.appendingPathComponent("Tests/Fixtures")

  /// The folder in which copies are built, one for each user and checkout of this package, and that user's alone.
  public static let workspace: URL = {
    let checkout = repository.path.replacingOccurrences(of: "_", with: "__").replacingOccurrences(of: "/", with: "_")
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("swift-allocators-fixtures-\(getuid())").appendingPathComponent(checkout)
    try? FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return folder
  }()

  /// The copy.
  public let folder: URL

  /// Copies the fixture `name`. Files that are the same already stay as they are, files that have gone are removed, and
  /// symbolic links become what they lead to. In `Package.swift`, the path `../../..` becomes this package's own, and the
  /// keys of `replacements` their values.
  public init(_ name: String, replacing replacements: [String: String] = [:]) throws {
    folder = Self.workspace.appendingPathComponent(name)
    let lock = try Lock(folder)
    defer { lock.unlock() }
    let replacements = replacements.merging(["\"../../..\"": "\"\(Self.repository.path)\""]) { $1 }
    try Self.copy(Self.fixtures.appendingPathComponent(name), to: folder, replacing: replacements)
  }

  /// A way to build: the arguments of `swift build`, and the folder for what it builds.
  public struct Configuration: Sendable, Hashable, CustomStringConvertible {
    public var description: String
    public var arguments: [String]

    public init(_ description: String, _ arguments: [String]) {
      self.description = description
      self.arguments = arguments
    }

    public static let debug = Configuration("debug", ["-c", "debug"])
    public static let release = Configuration("release", ["-c", "release"])
    public static let staticStandardLibrary = Configuration(
      "static-stdlib", ["-c", "release", "--static-swift-stdlib"])
    public static let debugStaticStandardLibrary = Configuration(
      "debug-static-stdlib", ["-c", "debug", "--static-swift-stdlib"])
  }

  private func buildArguments(_ configuration: Configuration) -> [String] {
    ["--package-path", folder.path, "--scratch-path", folder.appendingPathComponent(".build-\(configuration)").path]
      + configuration.arguments
  }

  /// Builds the package and returns what `swift build` said, whether it worked or not.
  public func tryBuilding(_ configuration: Configuration, product: String? = nil) throws -> CommandResult {
    let lock = try Lock(folder)
    defer { lock.unlock() }
    return try CommandResult.run(
      ["swift", "build"] + buildArguments(configuration) + (product.map { ["--product", $0] } ?? []))
  }

  /// Builds the package and returns the folder of its products.
  public func build(_ configuration: Configuration, product: String? = nil) throws -> URL {
    let result = try tryBuilding(configuration, product: product)
    guard result.status == 0 else { throw BuildFailure(description: result.transcript) }
    let shown = try CommandResult.run(["swift", "build"] + buildArguments(configuration) + ["--show-bin-path"])
    guard let path = shown.lines.last else { throw BuildFailure(description: shown.transcript) }
    return URL(fileURLWithPath: path)
  }

  /// A fixture that did not build, with what the compiler printed.
  public struct BuildFailure: Error, CustomStringConvertible {
    public var description: String

    public init(description: String) { self.description = description }
  }

  /// Keeps other test processes (`swift test --parallel`) from the copy while it is written or built.
  private struct Lock {
    private let descriptor: Int32

    init(_ folder: URL) throws {
      descriptor = open(folder.path + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
      guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
        throw BuildFailure(description: "cannot lock \(folder.path).lock: \(String(cString: strerror(errno)))")
      }
    }

    func unlock() { close(descriptor) }
  }

  private static func copy(_ source: URL, to destination: URL, replacing replacements: [String: String]) throws {
    let files = FileManager.default
    try files.createDirectory(at: destination, withIntermediateDirectories: true)
    let names = try files.contentsOfDirectory(atPath: source.path).filter { !$0.hasPrefix(".build") }
    for stale in try files.contentsOfDirectory(atPath: destination.path)
    where !names.contains(stale) && !stale.hasPrefix(".build") && stale != "Package.resolved" {
      try files.removeItem(at: destination.appendingPathComponent(stale))
    }
    for name in names {
      let (from, to) = (source.appendingPathComponent(name), destination.appendingPathComponent(name))
      var isFolder: ObjCBool = false
      guard files.fileExists(atPath: from.path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        try copy(from, to: to, replacing: replacements)
        continue
      }
      var contents = try Data(contentsOf: from)
      if name == "Package.swift" {
        let manifest = replacements.reduce(String(decoding: contents, as: UTF8.self)) {
          $0.replacingOccurrences(of: $1.key, with: $1.value)
        }
        contents = Data(manifest.utf8)
      }
      if (try? Data(contentsOf: to)) != contents { try contents.write(to: to, options: .atomic) }
    }
  }
}

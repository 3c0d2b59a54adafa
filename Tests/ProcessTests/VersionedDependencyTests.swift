// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// A package that depends on a tagged version of this one, by URL: there SwiftPM refuses unsafe flags, and resolves what
/// the used products need.
final class VersionedDependencyTests: XCTestCase {
  func testOneProductBuildsOnlyThatAndResolvesNothingElse() throws {
    let package = try Self.packageOfTaggedVersion()
    let configuration = Self.ofTaggedVersion(.debug)
    let products = try package.build(configuration)

    let run = try CommandResult.run([products.appendingPathComponent("App").path])
    XCTAssertEqual(run.lines, ["jemalloc"], run.transcript)

    let checkouts = try FileManager.default.contentsOfDirectory(
      atPath: package.scratch(configuration).appendingPathComponent("checkouts").path)
    XCTAssertEqual(checkouts, ["swift-allocators"], "no third-party dependency is resolved")
    XCTAssertEqual(
      try compiledModules(in: products),
      ["AllocatorABI", "App", "CAllocatorSupport", "GlobalJemalloc", "JemallocAllocator"])
  }

  /// What stands behind a trait is resolved only by who enables it. `SlowPackageTests` builds it, too.
  func testInsightWithoutTraitsResolvesNothingElse() throws {
    let package = try Self.packageOfTaggedVersion()
    try package.resolve(Self.withInsight, others: Self.snapshot)
    let checkouts = try FileManager.default.contentsOfDirectory(
      atPath: package.scratch(Self.withInsight).appendingPathComponent("checkouts").path)
    XCTAssertEqual(checkouts, ["swift-allocators"], "no third-party dependency is resolved")
  }

  /// In a folder of its own.
  static let withInsight = {
    var configuration = ofTaggedVersion(FixturePackage.Configuration.debug.with("insight"))
    configuration.description = "debug-insight"
    return configuration
  }()

  /// With a cache of its own: the user's would know another commit by the same tag.
  private static func ofTaggedVersion(_ configuration: FixturePackage.Configuration) -> FixturePackage.Configuration {
    configuration.with(arguments: ["--cache-path", folder.appendingPathComponent("cache").path])
  }

  /// The modules of which an object file was made.
  private func compiledModules(in products: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: products.path).filter { name in
      guard name.hasSuffix(".build") else { return false }
      let files = try FileManager.default.contentsOfDirectory(atPath: products.appendingPathComponent(name).path)
      return files.contains { $0.hasSuffix(".o") }
    }.map { String($0.dropLast(".build".count)) }.sorted()
  }

  private static let folder = Repository.workspace.appendingPathComponent("tagged")

  /// What is in the tagged version beside `Sources`.
  private static let snapshot = ["Tests", "Benchmarks"].map { Repository.root.appendingPathComponent($0) }

  /// The package `Versioned`, and this package as it is now as version 0.1.0 of a repository of its own. Both are made anew
  /// when this package has changed: the resolution of an earlier run knows an earlier commit by the same tag.
  static func packageOfTaggedVersion() throws -> FixturePackage {
    let lock = try FileLock(folder.path + ".lock")
    defer { lock.unlock() }
    let package = FixturePackage(at: folder.appendingPathComponent("Versioned"))
    let sources = try SourceState(of: snapshot)
    let state = folder.appendingPathComponent("state")
    if SourceState(contentsOf: state) == sources { return package }
    let scratch = try TemporaryFolder()
    let made = try CommandResult.run([
      "bash", "-euc",
      """
      cp -a "$1/Package.swift" "$1/Sources" "$1/Tests" "$1/Benchmarks" "$2"
      cd "$2"
      git init -q
      git add -A
      git -c user.name=test -c user.email=test@localhost commit -qm snapshot
      git tag 0.1.0
      git rev-parse 'HEAD^{tree}'
      """, "bash", Repository.root.path, scratch.url.path,
    ])
    XCTAssertEqual(made.status, 0, made.transcript)
    let tree = made.standardOutput
    let treeFile = folder.appendingPathComponent("tree")
    if (try? String(contentsOf: treeFile, encoding: .utf8)) == tree {
      try sources.write(to: state)
      return package
    }

    try? FileManager.default.removeItem(at: folder)
    for configuration in [FixturePackage.Configuration.debug, withInsight] {
      try? FileManager.default.removeItem(at: package.scratch(configuration))
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let repository = folder.appendingPathComponent("swift-allocators")
    try FileManager.default.copyItem(at: scratch.url, to: repository)
    try FileManager.default.copyItem(at: Repository.fixtures.appendingPathComponent("Versioned"), to: package.folder)
    let manifest = package.folder.appendingPathComponent("Package.swift")
    try String(contentsOf: manifest, encoding: .utf8).replacingOccurrences(of: "REPOSITORY", with: repository.path)
      .write(to: manifest, atomically: true, encoding: .utf8)
    try tree.write(to: treeFile, atomically: true, encoding: .utf8)
    try sources.write(to: state)
    return package
  }
}

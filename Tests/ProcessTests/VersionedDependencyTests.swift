// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// A package that depends on a tagged version of this one, by URL: there SwiftPM refuses unsafe flags, and resolves what
/// the used products need.
final class VersionedDependencyTests: XCTestCase {
  func testOneProductBuildsOnlyThatAndResolvesNothingElse() throws {
    let repository = try makeTaggedRepository()
    let package = try FixturePackage("Versioned", replacing: ["REPOSITORY": repository.path])
    // A resolution of an earlier run knows an earlier commit by the same tag.
    let scratch = package.folder.appendingPathComponent(".build-debug")
    try? FileManager.default.removeItem(at: scratch)
    try? FileManager.default.removeItem(at: package.folder.appendingPathComponent("Package.resolved"))
    let cache = FixturePackage.workspace.appendingPathComponent("cache-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: cache) }
    let products = try package.build(.init("debug", ["-c", "debug", "--cache-path", cache.path]))

    let run = try CommandResult.run([products.appendingPathComponent("App").path])
    XCTAssertEqual(run.lines, ["jemalloc"], run.transcript)

    let checkouts = try FileManager.default.contentsOfDirectory(
      atPath: scratch.appendingPathComponent("checkouts").path)
    XCTAssertEqual(checkouts, ["swift-allocators"], "no third-party dependency is resolved")
    XCTAssertEqual(
      try compiledModules(in: products),
      ["AllocatorABI", "App", "CAllocatorSupport", "GlobalJemalloc", "JemallocAllocator"])
  }

  /// The modules of which an object file was made.
  private func compiledModules(in products: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: products.path).filter { name in
      guard name.hasSuffix(".build") else { return false }
      let files = try FileManager.default.contentsOfDirectory(atPath: products.appendingPathComponent(name).path)
      return files.contains { $0.hasSuffix(".o") }
    }.map { String($0.dropLast(".build".count)) }.sorted()
  }

  /// This package as it is now, as version 0.1.0 of a repository of its own.
  private func makeTaggedRepository() throws -> URL {
    let folder = FixturePackage.workspace.appendingPathComponent("tagged/swift-allocators")
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let script = """
      set -e
      cp -a "$1/Package.swift" "$1/Sources" "$1/Tests" "$1/Benchmarks" "$2"
      cd "$2"
      git init -q
      git add -A
      git -c user.name=test -c user.email=test@localhost commit -qm snapshot
      git tag 0.1.0
      """
    let made = try CommandResult.run(["bash", "-c", script, "bash", FixturePackage.repository.path, folder.path])
    XCTAssertEqual(made.status, 0, made.transcript)
    return folder
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// One program in a dependent package, built against each product that chooses, and against none.
final class ArtifactTests: XCTestCase {
  /// An artifact and what it has to say of itself.
  private struct Artifact {
    var program: String
    var name: String
    var runsOnJemalloc: Bool
  }

  private let artifacts = [
    Artifact(program: "AppSystem", name: "system", runsOnJemalloc: false),
    Artifact(program: "AppJemalloc", name: "jemalloc", runsOnJemalloc: true),
    Artifact(program: "AppNest", name: "nest", runsOnJemalloc: false),
    Artifact(program: "AppDefault", name: "nest", runsOnJemalloc: false),
    Artifact(program: "AppUnchosen", name: "system", runsOnJemalloc: false),
  ]

  func testDebug() throws { try check(.debug) }

  func testRelease() throws { try check(.release) }

  func testStaticStandardLibrary() throws {
    // Libraries cannot be linked this way, so each program is built by itself.
    try check(.staticStandardLibrary, byProduct: true)
  }

  /// In a process whose `malloc` jemalloc has taken over, the system allocator is glibc's all the same.
  func testSystemAllocatorStaysGlibcs() throws {
    let program = try FixturePackage("Artifacts").build(.debug).appendingPathComponent("AppSystem").path
    // The dynamic linker looks for the library where it looks for all.
    let preload = ["LD_PRELOAD": "libjemalloc.so.2"]
    let facts = try CommandResult.run([program, "facts"], environment: preload)
    XCTAssertEqual(facts.lines.first, "libjemalloc mapped: true", facts.transcript)
    let grown = growth(in: facts)
    XCTAssertEqual(grown.count, 4, facts.transcript)
    XCTAssertGreaterThanOrEqual(grown[0], 64 << 20, "a Swift array comes from jemalloc")
    XCTAssertEqual(Array(grown.dropFirst()), [0, 0, 0], "the facade's blocks come from glibc")
    // A function that were left to the process's malloc would release the block of another allocator.
    let laws = try CommandResult.run([program, "laws"], environment: preload)
    XCTAssertEqual(laws.status, 0, laws.transcript)
  }

  /// In a process in which another library is `malloc` and `malloc_trim`, the system allocator gives glibc's memory back.
  func testSystemAllocatorTrimsGlibcs() throws {
    for configuration in [FixturePackage.Configuration.debug, .release] {
      let program = try FixturePackage("Artifacts").build(configuration).appendingPathComponent("AppSystem").path
      let library = try FixturePackage("MallocFamily").build(configuration).appendingPathComponent("libNestPreload.so")
      try checkRelease(program, environment: ["LD_PRELOAD": library.path])
    }
  }

  /// The type, beside jemalloc in a program that jemalloc's product was linked into.
  func testSystemAllocatorBesideJemalloc() throws {
    let program = try FixturePackage("Artifacts").build(.debug).appendingPathComponent("AppJemalloc").path
    let laws = try CommandResult.run([program, "system-laws"])
    XCTAssertEqual(laws.lines, ["jemalloc grew with the system's block: 0"], laws.transcript)
    XCTAssertEqual(laws.status, 0, laws.transcript)
  }

  func testDebugStaticStandardLibrary() throws { try check(.debugStaticStandardLibrary, byProduct: true) }

  /// A product that holds an allocator is enough to use that allocator.
  func testAllocatorProductsAlone() throws {
    let package = try FixturePackage("SingleProducts")
    for configuration in [FixturePackage.Configuration.debug, .release] {
      let products = try package.build(configuration)
      for name in ["System", "Jemalloc", "Nest", "Adapters"] {
        let run = try CommandResult.run([products.appendingPathComponent("Uses\(name)").path])
        XCTAssertEqual(run.lines, ["served"], "\(configuration) \(name): \(run.transcript)")
      }
    }
  }

  /// The sanitizers take over some of the names by which glibc's functions are called, and not others.
  func testSystemAllocatorInBuildsWithSanitizers() throws {
    for sanitizer in ["address", "thread"] {
      let program = try FixturePackage("Artifacts").build(
        .init(sanitizer, FixturePackage.Configuration.debug.arguments + ["--sanitize=\(sanitizer)"]),
        product: "AppSystem"
      ).appendingPathComponent("AppSystem").path
      let laws = try CommandResult.run([program, "laws"])
      XCTAssertEqual(laws.status, 0, "\(sanitizer): \(laws.transcript)")
    }
  }

  private func check(_ configuration: FixturePackage.Configuration, byProduct: Bool = false) throws {
    let package = try FixturePackage("Artifacts")
    if !byProduct { _ = try package.build(configuration) }
    for artifact in artifacts {
      let products = try package.build(configuration, product: artifact.program)
      let program = products.appendingPathComponent(artifact.program).path
      try checkNameAndFacts(artifact, program)
      let exhausted = try CommandResult.run([program, "exhaust"])
      XCTAssertEqual(exhausted.lines, ["exhausted true"], "\(program): \(exhausted.transcript)")
      XCTAssertEqual(exhausted.status, 0)
      XCTAssertEqual(exhausted.standardError, "", "\(program): an allocator prints nothing when memory is exhausted")
      try checkRelease(program)
      let laws = try CommandResult.run([program, "laws"])
      XCTAssertEqual(laws.status, 0, "\(program): \(laws.transcript)")
    }
    let checkouts = package.folder.appendingPathComponent(".build-\(configuration)/checkouts").path
    XCTAssertEqual(
      try? FileManager.default.contentsOfDirectory(atPath: checkouts), [],
      "a dependent package resolves no third-party dependency")
  }

  /// After the peak, what the allocator keeps of it goes back to the system when it is told to.
  private func checkRelease(_ program: String, environment: [String: String] = [:]) throws {
    let run = try CommandResult.run([program, "release"], environment: environment)
    let pattern = #/peak (\d+), released (-?\d+), given back (-?\d+), kept (\d+)/#
    let line = try XCTUnwrap(run.lines.first?.wholeMatch(of: pattern), "\(program): \(run.transcript)")
    let (peak, released, givenBack) = (Int(line.1) ?? 0, Int(line.2) ?? 0, Int(line.3) ?? 0)
    XCTAssertGreaterThanOrEqual(peak, 96 << 20, "\(program): \(run.transcript)")
    XCTAssertGreaterThanOrEqual(released, 24 << 20, "\(program) has nothing to give back: \(run.transcript)")
    XCTAssertLessThanOrEqual(givenBack, 12 << 20, "\(program): \(run.transcript)")
    XCTAssertGreaterThan(Int(line.4) ?? 0, 10, "\(program): \(run.transcript)")
    XCTAssertEqual(run.status, 0, "\(program): \(run.transcript)")
  }

  private func checkNameAndFacts(_ artifact: Artifact, _ program: String) throws {
    let name = try CommandResult.run([program, "name"])
    XCTAssertEqual(name.lines, [artifact.name], "\(program): \(name.transcript)")

    let facts = try CommandResult.run([program, "facts"])
    XCTAssertEqual(facts.lines.first, "libjemalloc mapped: \(artifact.runsOnJemalloc)", program)
    let grown = growth(in: facts)
    XCTAssertEqual(grown.count, 4, facts.transcript)
    if artifact.runsOnJemalloc {
      XCTAssertGreaterThanOrEqual(grown[0], 64 << 20, "\(program): a Swift array comes from jemalloc")
      for bytes in grown.dropFirst() {
        XCTAssertGreaterThanOrEqual(bytes, 32 << 20, "\(program): the facade's blocks come from jemalloc")
      }
    } else {
      XCTAssertEqual(grown, [0, 0, 0, 0], program)
    }
  }

  /// By how many bytes jemalloc's own count grew: with the Swift array, and with three blocks of the facade.
  private func growth(in facts: CommandResult) -> [Int] {
    facts.lines.dropFirst().compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
  }
}

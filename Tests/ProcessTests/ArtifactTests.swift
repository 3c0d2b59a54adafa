// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// One program in a dependent package, built against each product that chooses, and against none. Debug builds of all of them are in
/// `SlowDebugTests`.
final class ArtifactTests: XCTestCase {
  /// One of them thoroughly, as `SlowCasesTests` does all.
  func testRelease() throws {
    try ArtifactCheck().check(.release, thorough: ["AppNest"], isShort: true)
  }

  /// How far the laws of the contract go.
  private let effort = CProgram.environment(isShort: !TestEffort.isFull)

  /// In a process whose `malloc` jemalloc has taken over, the system allocator is glibc's all the same.
  func testSystemAllocatorStaysGlibcs() throws {
    let program = try FixturePackage.programs.path(.debug, of: "AppSystem")
    // The dynamic linker looks for the library where it looks for all.
    let preload = ["LD_PRELOAD": "libjemalloc.so.2"]
    let facts = try CommandResult.run([program, "facts"], environment: preload)
    XCTAssertEqual(facts.lines.first, "mapped: jemalloc", facts.transcript)
    let grown = ArtifactCheck.growth(in: facts)
    XCTAssertEqual(grown.count, 4, facts.transcript)
    XCTAssertGreaterThanOrEqual(grown[0], 64 << 20, "a Swift array comes from jemalloc")
    XCTAssertEqual(Array(grown.dropFirst()), [0, 0, 0], "the facade's blocks come from glibc")
    // A function that were left to the process's malloc would release the block of another allocator.
    let laws = try CommandResult.run([program, "laws"], environment: preload.merging(effort) { $1 })
    XCTAssertEqual(laws.status, 0, laws.transcript)
  }

  /// In a process in which another library is `malloc` and `malloc_trim`, the system allocator gives glibc's memory back.
  func testSystemAllocatorTrimsGlibcs() throws {
    try concurrently([FixturePackage.Configuration.debug, .release]) { configuration in
      try ArtifactCheck().checkRelease(
        FixturePackage.programs.path(configuration, of: "AppSystem"),
        environment: ["LD_PRELOAD": PreloadLibrary.nest.path(configuration)])
    }
  }

  /// The type, beside jemalloc in a program that jemalloc's product was linked into.
  func testSystemAllocatorBesideJemalloc() throws {
    let laws = try CommandResult.run(
      [FixturePackage.programs.path(.debug, of: "AppJemalloc"), "system-laws"], environment: effort)
    XCTAssertEqual(laws.lines, ["jemalloc grew with the system's block: 0"], laws.transcript)
    XCTAssertEqual(laws.status, 0, laws.transcript)
  }

  /// A product that holds an allocator is enough to use that allocator.
  func testAllocatorProductsAlone() throws {
    try concurrently([FixturePackage.Configuration.debug, .release]) { configuration in
      for name in ["System", "Jemalloc", "Mimalloc", "Tcmalloc", "Nest", "Adapters"] {
        let run = try CommandResult.run([FixturePackage.programs.path(configuration, of: "Uses\(name)")])
        XCTAssertEqual(run.lines, ["served"], "\(configuration) \(name): \(run.transcript)")
      }
    }
  }
}

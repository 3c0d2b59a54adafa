// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// What is checked of one program, built against each product that chooses, and against none.
struct ArtifactCheck {
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

  func check(_ configuration: FixturePackage.Configuration) throws {
    for artifact in artifacts {
      let program = try FixturePackage.programs.path(configuration, of: artifact.program)
      try checkNameAndFacts(artifact, program)
      let exhausted = try CommandResult.run([program, "exhaust"])
      XCTAssertEqual(exhausted.lines, ["exhausted true"], "\(program): \(exhausted.transcript)")
      XCTAssertEqual(exhausted.status, 0)
      XCTAssertEqual(exhausted.standardError, "", "\(program): an allocator prints nothing when memory is exhausted")
      try checkRelease(program)
      let laws = try CommandResult.run([program, "laws"])
      XCTAssertEqual(laws.status, 0, "\(program): \(laws.transcript)")
    }
    let checkouts = FixturePackage.programs.scratch(configuration).appendingPathComponent("checkouts").path
    XCTAssertEqual(
      try? FileManager.default.contentsOfDirectory(atPath: checkouts), [],
      "a dependent package resolves no third-party dependency")
  }

  /// After the peak, what the allocator keeps of it goes back to the system when it is told to.
  func checkRelease(_ program: String, environment: [String: String] = [:]) throws {
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
    let grown = Self.growth(in: facts)
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
  static func growth(in facts: CommandResult) -> [Int] {
    facts.lines.dropFirst().compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
  }
}

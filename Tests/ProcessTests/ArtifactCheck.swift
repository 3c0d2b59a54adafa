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
    /// The library that it runs on, if that is an allocator's.
    var library: String?
    /// Bytes of the 100 MiB of its peak that it may keep when it is told to give them back.
    var keeps = 12 << 20
  }

  private let artifacts = [
    Artifact(program: "AppSystem", name: "system"),
    Artifact(program: "AppJemalloc", name: "jemalloc", library: "jemalloc"),
    Artifact(program: "AppMimalloc", name: "mimalloc", library: "mimalloc", keeps: 64 << 20),
    Artifact(program: "AppTcmalloc", name: "tcmalloc", library: "tcmalloc", keeps: 32 << 20),
    Artifact(program: "AppNest", name: "nest"),
    Artifact(program: "AppNestHardened", name: "nest-hardened"),
    Artifact(program: "AppDefault", name: "nest"),
    Artifact(program: "AppUnchosen", name: "system"),
  ]

  /// - Parameters:
  ///   - thorough: the programs of which more is checked than their names and facts; nil for all of them.
  ///   - isShort: whether the laws of the contract are checked with lower limits.
  func check(
    _ configuration: FixturePackage.Configuration, thorough: Set<String>? = nil, isShort: Bool = false
  ) throws {
    let products = try FixturePackage.programs.build(configuration)
    func path(_ program: String) -> String { products.appendingPathComponent(program).path }
    let works = artifacts.flatMap { artifact in
      (["name", "facts"] + (thorough?.contains(artifact.program) ?? true ? ["exhaust", "release", "laws"] : [])).map {
        [path(artifact.program), $0]
      }
    }
    let runs = try CommandResult.run(all: works, environment: CProgram.environment(isShort: isShort))
    let results = Dictionary(uniqueKeysWithValues: zip(works, runs))
    for artifact in artifacts {
      let program = path(artifact.program)
      func result(_ work: String) throws -> CommandResult { try XCTUnwrap(results[[program, work]]) }
      try checkNameAndFacts(artifact, program, name: result("name"), facts: result("facts"))
      guard results[[program, "laws"]] != nil else { continue }
      let exhausted = try result("exhaust")
      XCTAssertEqual(exhausted.lines, ["exhausted true"], "\(program): \(exhausted.transcript)")
      XCTAssertEqual(exhausted.status, 0)
      XCTAssertEqual(exhausted.standardError, "", "\(program): an allocator prints nothing when memory is exhausted")
      try checkRelease(program, result("release"), keeps: artifact.keeps)
      let laws = try result("laws")
      XCTAssertEqual(laws.status, 0, "\(program): \(laws.transcript)")
    }
    let checkouts = FixturePackage.programs.scratch(configuration).appendingPathComponent("checkouts").path
    XCTAssertEqual(
      try? FileManager.default.contentsOfDirectory(atPath: checkouts), [],
      "a dependent package resolves no third-party dependency")
  }

  /// After the peak, what the allocator keeps of it goes back to the system when it is told to.
  func checkRelease(_ program: String, environment: [String: String] = [:]) throws {
    try checkRelease(program, CommandResult.run([program, "release"], environment: environment))
  }

  private func checkRelease(_ program: String, _ run: CommandResult, keeps: Int = 12 << 20) throws {
    let pattern = #/peak (\d+), released (-?\d+), given back (-?\d+), kept (\d+)/#
    let line = try XCTUnwrap(run.lines.first?.wholeMatch(of: pattern), "\(program): \(run.transcript)")
    let (peak, released, givenBack) = (Int(line.1) ?? 0, Int(line.2) ?? 0, Int(line.3) ?? 0)
    XCTAssertGreaterThanOrEqual(peak, 96 << 20, "\(program): \(run.transcript)")
    XCTAssertGreaterThanOrEqual(released, 16 << 20, "\(program) has nothing to give back: \(run.transcript)")
    XCTAssertLessThanOrEqual(givenBack, keeps, "\(program): \(run.transcript)")
    XCTAssertGreaterThan(Int(line.4) ?? 0, 10, "\(program): \(run.transcript)")
    XCTAssertEqual(run.status, 0, "\(program): \(run.transcript)")
  }

  private func checkNameAndFacts(
    _ artifact: Artifact, _ program: String, name: CommandResult, facts: CommandResult
  ) throws {
    XCTAssertEqual(name.lines, [artifact.name], "\(program): \(name.transcript)")

    XCTAssertEqual(facts.lines.first, "mapped: \(artifact.library ?? "none")", program)
    let grown = Self.growth(in: facts)
    let library = artifact.library ?? artifact.name
    XCTAssertEqual(grown.count, 4, facts.transcript)
    XCTAssertGreaterThanOrEqual(grown.first ?? 0, 64 << 20, "\(program): a Swift array comes from \(library)")
    for bytes in grown.dropFirst() {
      XCTAssertGreaterThanOrEqual(bytes, 32 << 20, "\(program): the facade's blocks come from \(library)")
    }
  }

  /// By how many bytes the allocator's own count grew: with the Swift array, and with three blocks of the facade.
  static func growth(in facts: CommandResult) -> [Int] {
    facts.lines.dropFirst().first?.split(separator: ":").last?.split(separator: " ").compactMap { Int($0) } ?? []
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// Programs that keep known numbers of objects of each kind, and take a census of themselves.
final class CensusTests: XCTestCase {
  static func run(
    _ program: String, _ arguments: [String], _ configuration: FixturePackage.Configuration = .release,
    environment: [String: String] = [:]
  ) throws -> CommandResult {
    let path = try FixturePackage.programs.path(configuration, of: program, product: program)
    return try CommandResult.run([path] + arguments, environment: environment)
  }

  static func check(_ run: CommandResult, says line: String, file: StaticString = #filePath, at place: UInt = #line) {
    XCTAssertEqual(run.status, 0, run.transcript, file: file, line: place)
    XCTAssertEqual(run.lines.last, line, run.transcript, file: file, line: place)
  }

  /// Exact on Nest, in either flavour, and so is the change; the answer comes first.
  func testTypes() throws {
    try concurrently(["CountedNest", "CountedNestHardened"]) { program in
      let run = try Self.run(program, ["types"])
      Self.check(run, says: "RIGHT")
      XCTAssertTrue(run.lines[0].contains(" are alive in "), run.transcript)
      XCTAssertTrue(run.standardOutput.contains("\nLive memory grew by "), run.transcript)
      XCTAssertTrue(run.standardOutput.contains("exact      every live block of nest"), run.transcript)
    }
  }

  /// While eight threads allocate, and memory is given back in a loop.
  func testAmongThreads() throws {
    let rounds = TestEffort.count(60, quick: 3)
    let programs = TestEffort.choice(["CountedNest", "CountedNestHardened"], quick: ["CountedNest"])
    try concurrently(programs) { program in
      Self.check(try Self.run(program, ["threads", "\(rounds)"]), says: "HELD \(rounds) of \(rounds)")
    }
  }

  /// Any other allocator cannot tell its blocks: from samples, or not at all.
  func testOtherAllocators() throws {
    try concurrently([("CountedUnchosen", "glibc"), ("CountedJemalloc", "jemalloc")]) { program, allocator in
      let samples = try Self.run(program, ["samples"])
      Self.check(samples, says: "RIGHT")
      XCTAssertTrue(
        samples.standardOutput.contains(" of what was allocated over \(allocator) in the last "), samples.transcript)
      let refusal = try Self.run(program, ["refusal"])
      XCTAssertEqual(refusal.status, 0)
      XCTAssertTrue(
        refusal.standardOutput.hasPrefix("REFUSED the allocator (\(allocator)) cannot tell which blocks are live"),
        refusal.transcript)
    }
  }

  /// Nest as a preloaded library is asked by its exported symbols.
  func testPreloadedLibrary() throws {
    let library = try PreloadLibrary.nest.path(.release)
    let run = try Self.run("CountedUnchosen", ["types"], environment: ["LD_PRELOAD": library])
    Self.check(run, says: "RIGHT")
    XCTAssertTrue(run.standardOutput.contains("exact      every live block of nest"), run.transcript)
  }

  /// A program without symbols tells its types as any other does; only where a closure is, is not known.
  func testStrippedProgram() throws {
    guard let strip = CommandResult.locate("strip") else { throw XCTSkip("no strip here (binutils)") }
    let folder = try TemporaryFolder()
    let path = try FixturePackage.programs.path(.release, of: "CountedNest", product: "CountedNest")
    let stripped = folder.path("stripped")
    XCTAssertEqual(try CommandResult.run([strip, "-o", stripped, path]).status, 0)
    let run = try CommandResult.run([stripped, "types"])
    XCTAssertEqual(run.status, 0, run.transcript)
    let mistakes = run.lines.filter { $0.hasPrefix("MISTAKE ") }
    XCTAssertTrue(mistakes.allSatisfy { $0.contains("closure context") && $0.contains("made in") }, run.transcript)
    XCTAssertTrue(
      run.standardOutput.contains("1,500  closure context, with Counted.Session and Swift.Int\n"), run.transcript)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// The malloc family in programs that link it, over an allocator with the five functions alone and over one with all of
/// `MallocABI`: one process for each case of `Tests/Fixtures/Programs/Sources/CCases`. Each does what it does
/// less often than in `SlowCasesTests` and `SlowDebugTests`.
final class MallocFamilyTests: XCTestCase {
  /// What each C function has to do, and where the life of a process goes wrong.
  static let cases = [
    "functions", "alignment", "huge", "products", "errno", "zero", "calloc", "realloc", "out-of-memory",
    "thread-destructors", "threads", "busy-fork", "fork-in-handler", "vfork", "exit", "early", "dlopen",
  ]

  /// Where the life of a process goes wrong.
  private static let lifeCases: Set<String> = [
    "thread-destructors", "threads", "busy-fork", "fork-in-handler", "vfork", "exit", "early", "dlopen",
  ]

  /// Those that take more than a second in a debug build.
  private static let longCases: Set<String> = [
    "out-of-memory", "thread-destructors", "threads", "busy-fork", "fork-in-handler", "vfork",
  ]

  private static let programs = ["CasesOnFive", "CasesOnNative"]

  /// The others. `SlowDebugTests` runs them all.
  func testCasesInDebugBuild() throws {
    try Self.runCases(.debug, Self.cases.filter { !Self.longCases.contains($0) }, of: ["CasesOnNative"], isShort: true)
  }

  func testCasesInReleaseBuild() throws { try Self.runCases(.release, Self.cases, isShort: true) }

  /// The malloc family over libraries, without the cases that the libraries themselves fail. As above: `SlowDebugTests` runs all
  /// of them in debug builds.
  func testCasesOnLibraries() throws {
    try Self.runCasesOnLibraries(.release, isShort: true)
  }

  static func runCasesOnLibraries(
    _ configuration: FixturePackage.Configuration, isShort: Bool = false
  ) throws {
    // mimalloc 2.0.9 keeps pages that it could give back, does not recover all after memory was short, and counts no live bytes.
    // gperftools' tcmalloc hangs in a fork that a signal handler makes, and knows no sizes before its constructors have run.
    let failing = ["Mimalloc": ["trim", "out-of-memory", "statistics"], "Tcmalloc": ["fork-in-handler", "early"]]
    let all = cases + ["trim", "statistics"]
    for (library, exceptions) in failing {
      var names = all.filter { !exceptions.contains($0) }
      // Each case on one of them at least.
      if isShort, library == "Mimalloc", let others = failing["Tcmalloc"] { names = names.filter(others.contains) }
      try runCases(configuration, on: library, names, isShort: isShort)
    }
  }

  /// The malloc family over allocators that are made of others: one of them writes its calls down, and in full another soon has no
  /// memory. As above.
  func testCasesOnComposedAllocators() throws {
    try Self.runCasesOnComposedAllocators(.release, isShort: true)
  }

  static func runCasesOnComposedAllocators(
    _ configuration: FixturePackage.Configuration, isShort: Bool = false
  ) throws {
    for allocator in isShort ? ["Tracing"] : ["Fallback", "Tracing"] {
      try runCases(configuration, on: allocator, cases, isShort: isShort)
    }
    // It has nothing to go on with for small blocks, of which some cases use up more than the region has.
    let segregating = ["functions", "huge", "products", "errno", "zero", "calloc", "realloc", "exit", "early"]
    try runCases(configuration, on: "Segregating", segregating, isShort: isShort)
  }

  private static func runCases(
    _ configuration: FixturePackage.Configuration, on allocator: String, _ names: [String], isShort: Bool
  ) throws {
    let products = try FixturePackage.programs.build(configuration)
    let program = products.appendingPathComponent("CasesOn\(allocator)").path
    let runs = try CommandResult.run(
      all: names.map { [program, $0] },
      environment: environment(products, isShort: isShort))
    for (name, run) in zip(names, runs) {
      XCTAssertEqual(run.status, 0, "\(allocator) \(name), \(configuration): \(run.transcript)")
    }
  }

  /// glibc's allocator cannot be set up by several threads at once, which several first calls would have to.
  func testSecondAllocatorIsFirstUsedInThreads() throws {
    let program = try FixturePackage.programs.path(.release, of: "CasesOnTracing")
    let runs = try CommandResult.run(
      all: Array(repeating: [program, "second-in-threads"], count: TestEffort.count(100, quick: 20)))
    for run in runs { XCTAssertEqual(run.status, 0, run.transcript) }
  }

  /// Misuse of a block with a header ends the process with a message that names the pointer and the cause.
  func testMisuseOfHeaderedBlocks() throws {
    let program = try FixturePackage.programs.path(.debug, of: "CasesOnFive")
    for misuse in ["double-free", "foreign-free"] {
      let run = try CommandResult.run([program, misuse], environment: ["SWIFT_BACKTRACE": "enable=no"])
      XCTAssertEqual(run.status, -SIGABRT, run.transcript)
      let message =
        #/swift-allocators: deallocate\(0x[0-9a-f]{16}\): no live block of this allocator: released before, .*\n/#
      XCTAssertNotNil(run.standardError.wholeMatch(of: message), "\(misuse): \(run.transcript)")
    }
  }

  private static func environment(_ products: URL, isShort: Bool) -> [String: String] {
    ["GUEST_LIBRARY": products.appendingPathComponent("libGuest.so").path].merging(
      CProgram.environment(isShort: isShort)
    ) { $1 }
  }

  static func runCases(
    _ configuration: FixturePackage.Configuration, _ cases: [String], of chosen: [String] = programs,
    isShort: Bool = false
  ) throws {
    let products = try FixturePackage.programs.build(configuration)
    let environment = environment(products, isShort: isShort)
    for program in chosen {
      let path = products.appendingPathComponent(program).path
      // One of the allocators can give memory back, and has statistics.
      let able = program == "CasesOnNative"
      let abilities = able ? ["trim", "statistics"] : ["no-trim", "no-statistics"]
      // Where the life of a process goes wrong does not depend on what the allocator can do.
      let own = isShort && !able ? cases.filter { !lifeCases.contains($0) } : cases
      let names = ["counted", "cxx", "arrays", "chunks"] + abilities + own
      let runs = try CommandResult.run(all: names.map { [path, $0] }, environment: environment)
      for (name, run) in zip(names, runs) {
        XCTAssertEqual(run.status, 0, "\(program) \(name), \(configuration): \(run.transcript)")
        XCTAssertEqual(run.lines, name == "exit" ? ["atexit"] : [], "\(program) \(name): \(run.transcript)")
        if name.hasSuffix("statistics") {
          let start = "malloc: allocator counting\n" + (able ? "malloc: live bytes " : "")
          XCTAssertTrue(run.standardError.hasPrefix(start), run.transcript)
          XCTAssertEqual(run.standardError.contains("live bytes"), able, run.transcript)
        } else {
          XCTAssertEqual(run.standardError, "", "\(program) \(name)")
        }
      }
    }
  }
}

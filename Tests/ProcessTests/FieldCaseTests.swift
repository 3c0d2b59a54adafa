// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// What crashed, hung or lost memory under allocators in the field: one process for each case, under the libraries for
/// LD_PRELOAD and in an executable that has Nest in it. Here on Nest, and in `SlowCasesTests` on the counting library too.
final class FieldCaseTests: XCTestCase {
  /// Fork in every order, hooks on system calls, and a kernel that says no.
  private static let cases = [
    "fork-handlers", "fork-streams", "fork-in-fork", "plain-fork", "hooks", "no-mremap", "no-madvise", "strict-sandbox",
    "scarce", "big-block",
  ]
  /// Those that take longer than all the others, and of which these have much.
  private static let dearCases: Set<String> = ["fork-streams", "map-limit", "scarce"]
  /// Those that glibc, which the counting library has, does not pass, or fails at times: it hangs when a signal handler forks
  /// in malloc beside other threads, keeps what it could not unmap for ever, and serves requests from the program's break.
  private static let casesOfNest = ["fork-in-malloc-with-threads", "no-munmap", "no-mmap", "map-limit", "locked"]

  /// Those that are quick.
  private static let quickCases = [
    "fork-handlers", "fork-in-fork", "plain-fork", "hooks", "no-mremap", "strict-sandbox", "locked",
  ]

  private static func check(_ name: String, _ run: CommandResult, _ label: String) {
    XCTAssertEqual(run.status, 0, "\(label) \(name): \(run.transcript)")
  }

  /// Runs the program once for each case, several at a time.
  private static func check(
    _ program: String, _ cases: [String], preloading library: String? = nil, isShort: Bool
  ) throws {
    let runs = try CommandResult.run(
      all: cases.map { name in
        ["env"] + (library.map { ["LD_PRELOAD=\($0)"] } ?? [])
          + (name == "fork-handlers" ? ["FORK_HANDLERS=1"] : []) + [program, name]
      }, environment: CProgram.environment(isShort: isShort))
    for (name, run) in zip(cases, runs) { check(name, run, library ?? program) }
  }

  func testCasesUnderThePreloadedLibraries() throws { try Self.checkPreloaded(isShort: true) }

  static func checkPreloaded(isShort: Bool) throws {
    let program = try CProgram(cases: "Programs/Sources/CCases")
    for library in isShort ? [.nest] : PreloadLibrary.allCases {
      let names = cases + (library == .counting ? [] : casesOfNest)
      try check(
        program.path, names.filter { !isShort || !dearCases.contains($0) }, preloading: library.path(.release),
        isShort: isShort)
    }
  }

  /// Fork handlers that were registered before the allocator had a chance to.
  func testForkHandlersOfAnEarlierLibrary() throws { try Self.checkEarlierHandlers(isShort: true) }

  static func checkEarlierHandlers(isShort: Bool) throws {
    let program = try CProgram(cases: "Programs/Sources/CCases")
    let source = Repository.fixtures.appendingPathComponent("PreloadPrograms/fork_handlers.c").path
    let handlers = try CompiledFixture.file("handlers.so") { path in
      ["clang", "-O1", "-shared", "-fPIC", source, "-o", path]
    }
    try concurrently((isShort ? [.nest] : PreloadLibrary.allCases).map { try $0.path(.release) }) { library in
      let environment = ["LD_PRELOAD": "\(library) \(handlers)", "FORK_HANDLERS": "1"].merging(
        CProgram.environment(isShort: isShort)
      ) { $1 }
      check("fork-handlers", try CommandResult.run([program.path, "fork-handlers"], environment: environment), library)
    }
  }

  func testCasesInAnExecutable() throws { try Self.checkExecutable(isShort: true) }

  static func checkExecutable(isShort: Bool) throws {
    for name in isShort ? ["CasesOnNest"] : ["CasesOnNest", "CasesOnNestHardened"] {
      let program = try FixturePackage.programs.path(.release, of: name)
      try check(program, isShort ? quickCases : cases + casesOfNest, isShort: isShort)
    }
  }

  /// Address space, and what the system charges and locks, of a program that does nothing.
  func testChargesOfAProgramThatDoesNothing() throws {
    let program = try CProgram("PreloadPrograms/charges.c")
    let library = try PreloadLibrary.nest.path(.release)
    func kibibytes(_ name: String, _ run: CommandResult) -> Int? {
      run.lines.map { $0.split(separator: " ") }.first { $0[0] == name }.flatMap { Int($0[1]) }
    }
    let (glibc, nest) = (try program.run(), try program.run(preloading: library))
    Self.check("charges", nest, library)
    for name in ["writable", "locked"] {
      // The second is missing where mlockall is forbidden.
      guard let less = kibibytes(name, glibc), let more = kibibytes(name, nest) else { continue }
      print("KiB \(name): glibc \(less), Nest \(more)")
      XCTAssertLessThanOrEqual(more, less + 2560, name)
    }
    XCTAssertNotNil(kibibytes("writable", nest))
    let limited = try CommandResult.run(
      ["sh", "-c", #"ulimit -v 17408; LD_PRELOAD="$1" exec "$0""#, program.path, library])
    Self.check("under ulimit -v 17408", limited, library)
  }

  /// The same in a debug build.
  static func checkDebugBuild(isShort: Bool) throws {
    for name in ["CasesOnNest", "CasesOnNestHardened"] {
      try check(FixturePackage.programs.path(.debug, of: name), quickCases, isShort: isShort)
    }
  }
}

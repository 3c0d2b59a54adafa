// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// A service that leaks a known number of sessions, across an `await`, and profiles itself, on each allocator.
final class HeapProfileTests: XCTestCase {
  private static let allocators = [
    "ProfiledUnchosen": "glibc", "ProfiledSystem": "glibc", "ProfiledJemalloc": "jemalloc", "ProfiledNest": "nest",
    "ProfiledFive": "counting",
  ]

  func testRelease() throws {
    let quick = ["ProfiledNest", "ProfiledFive"]
    try Self.check(.release, TestEffort.choice(Self.allocators.keys.sorted(), quick: quick))
  }

  static func check(_ configuration: FixturePackage.Configuration, _ programs: [String]? = nil) throws {
    try concurrently(programs ?? allocators.keys.sorted()) { program in
      let allocator = allocators[program] ?? "none"
      let sessions = 5_000.0
      let run = try CommandResult.run([
        try FixturePackage.programs.path(configuration, of: program, product: program), "leak", "\(Int(sessions))",
        "8192",
      ])
      XCTAssertEqual(run.status, 0, run.transcript)
      XCTAssertTrue(run.standardOutput.contains("; allocator \(allocator)"), run.transcript)
      // "FIRST Profiled.Session 5012.3 650.1": type, objects, and their standard error.
      guard let words = run.lines.first(where: { $0.hasPrefix("FIRST ") })?.split(separator: " "), words.count == 4,
        let objects = Double(words[2]), let error = Double(words[3]),
        let stack = run.lines.first(where: { $0.hasPrefix("STACK ") })
      else { return XCTFail(run.transcript) }
      XCTAssertEqual(words[1], "Profiled.Session", run.transcript)
      // Five, so that one run in a million fails, and not one in 400.
      XCTAssertLessThan(abs(objects - sessions), 5 * error, run.transcript)
      XCTAssertLessThan(error, sessions / 4, run.transcript)
      let functions = ["makeSession", "login", "handleRequest", "serve", "profileLeak"]
      let places = functions.compactMap { stack.range(of: "Profiled.\($0)(")?.lowerBound }
      XCTAssertEqual(places.count, functions.count, stack)
      XCTAssertEqual(places, places.sorted(), stack)
      XCTAssertTrue(run.lines.contains("WRITABLE 0 0"), run.transcript)
    }
  }

  /// Calls of malloc that the program makes itself, where malloc is the program's, too: they have no slot.
  func testCallsOfTheProgramItself() throws { try Self.checkFunctions(.release) }

  static func checkFunctions(_ configuration: FixturePackage.Configuration) throws {
    let program = try FixturePackage.programs.path(configuration, of: "ProfiledNest", product: "ProfiledNest")
    let sizes = "1000 1001 1002 1003 1004 1005 1006"
    let run = try CommandResult.run([program, "functions"])
    XCTAssertEqual(run.status, 0, run.transcript)
    XCTAssertTrue(run.lines.contains("BEFORE \(sizes)"), run.transcript)
    XCTAssertTrue(run.lines.contains("AFTER "), run.transcript)
    XCTAssertTrue(run.lines.contains("CODE OF MALLOC changed, as before"), run.transcript)
    XCTAssertFalse(run.standardOutput.contains("malloc is in the program itself"), run.transcript)

    let rounds = TestEffort.count(200, quick: 20)
    let often = try CommandResult.run([program, "often", "\(rounds)"])
    XCTAssertEqual(often.status, 0, often.transcript)
    XCTAssertTrue(often.lines.contains("ROUNDS \(rounds)"), often.transcript)

    // Where the system lets nobody write code (Linux 6.3), what goes through slots is seen, and the rest is spoken of.
    let refused = try CommandResult.run([try Self.launcher(), program, "functions"])
    if refused.status == 77 { return }
    if configuration.description.contains("static") {
      XCTAssertTrue(refused.standardError.contains("linked statically into one file"), refused.transcript)
    } else {
      XCTAssertEqual(refused.status, 0, refused.transcript)
      XCTAssertFalse(refused.lines.contains("BEFORE \(sizes)"), refused.transcript)
      XCTAssertTrue(refused.lines.contains("CODE OF MALLOC as before, as before"), refused.transcript)
      XCTAssertTrue(refused.standardOutput.contains("malloc is in the program itself"), refused.transcript)
    }
  }

  /// Starts a program in which no code can be written; ends with 77 where the kernel does not know of that.
  private static func launcher() throws -> String {
    try CompiledText.path(
      "deny-write-execute",
      """
      #include <sys/prctl.h>
      #include <unistd.h>
      int main(int count, char **words) {
        if (prctl(65 /* PR_SET_MDWE */, 1 /* PR_MDWE_REFUSE_EXEC_GAIN */, 0, 0, 0) != 0) return 77;
        execv(words[1], words + 1);
        return 1;
      }
      """, ["clang"])
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// A service that leaks a known number of sessions, across an `await`, and profiles itself, on each allocator.
final class HeapProfileTests: XCTestCase {
  func testRelease() throws { try Self.check(.release) }

  static func check(_ configuration: FixturePackage.Configuration) throws {
    let programs = [
      ("ProfiledUnchosen", "glibc"), ("ProfiledSystem", "glibc"), ("ProfiledJemalloc", "jemalloc"),
      ("ProfiledNest", "nest"), ("ProfiledFive", "counting"),
    ]
    try concurrently(TestEffort.choice(programs, quick: Array(programs.suffix(2)))) { program, allocator in
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
    }
  }
}

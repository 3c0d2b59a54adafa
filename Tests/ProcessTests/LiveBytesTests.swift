// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// Live bytes as the linked allocator tells them, against a count, in a process that runs on it.
final class LiveBytesTests: XCTestCase {
  func testDebug() throws { try check(.debug) }

  func testRelease() throws { try check(.release) }

  private func check(_ configuration: FixturePackage.Configuration) throws {
    let products = try FixturePackage.programs.build(configuration)
    for (program, isExact) in [
      ("ScenarioSystem", false), ("ScenarioUnchosen", false), ("ScenarioTcmalloc", true), ("ScenarioJemalloc", true),
      ("ScenarioNest", true),
    ] {
      let run = try CommandResult.run([products.appendingPathComponent(program).path, "live-bytes"])
      XCTAssertEqual(run.status, 0, run.transcript)
      let numbers = run.lines.map { $0.split(separator: " ").map { Int($0)! } }
      guard numbers.count == 2 else { return XCTFail(run.transcript) }
      if isExact {
        XCTAssertEqual(numbers[0][0], numbers[0][1], "\(program), \(configuration)")
      } else {
        // glibc counts as live what threads have at hand: up to 7 blocks of each of 64 sizes, and a word of each chunk.
        XCTAssertEqual(
          Double(numbers[0][0]), Double(numbers[0][1]), accuracy: 1_200_000, "\(program), \(configuration)")
      }
      if program == "ScenarioNest" { XCTAssertEqual(numbers[1][0], numbers[1][1]) }
    }
  }
}

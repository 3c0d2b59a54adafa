// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The allocator that answers malloc is found, and asked, whether it was linked or preloaded.
final class ProcessAllocatorTests: XCTestCase {
  private func report(_ program: String, preload: String? = nil) throws -> [String] {
    let path = try FixturePackage.programs.path(.release, of: program)
    let preloads = preload.map { ["LD_PRELOAD=\($0)"] } ?? []
    let run = try CommandResult.run(["env"] + preloads + [path, "process-allocator"])
    XCTAssertEqual(run.status, 0, run.transcript)
    return run.lines.first?.split(separator: " ").map(String.init) ?? []
  }

  private func check(_ answer: [String], _ name: String, file: StaticString = #filePath, line: UInt = #line) throws {
    XCTAssertEqual(answer.count, 3, file: file, line: line)
    XCTAssertEqual(answer.first, name, file: file, line: line)
    // A block of 10,000 bytes holds 10,240 of most, and 12,288 at the most.
    let rise = try XCTUnwrap(Int(answer[1]), "\(answer)", file: file, line: line)
    XCTAssertTrue((10_000_000...12_600_000).contains(rise), "\(name): \(rise)", file: file, line: line)
    XCTAssertEqual(answer[2], "true", file: file, line: line)
  }

  func testLinked() throws {
    try check(report("ScenarioSystem"), "glibc")
    try check(report("ScenarioUnchosen"), "glibc")
    try check(report("ScenarioJemalloc"), "jemalloc")
    try check(report("ScenarioNest"), "nest")
    try check(report("ScenarioTcmalloc"), "tcmalloc")
  }

  func testPreloaded() throws {
    try check(report("ScenarioUnchosen", preload: PreloadLibrary.nest.path(.release)), "nest")
    try check(report("ScenarioUnchosen", preload: PreloadLibrary.counting.path(.release)), "counting")
    for (name, pattern) in [("jemalloc", "libjemalloc.so.2"), ("tcmalloc", "libtcmalloc_minimal.so.4")] {
      guard let library = try locate(pattern) else { continue }
      try check(report("ScenarioUnchosen", preload: library), name)
      // Behind the program's own malloc, a preloaded one is nobody's.
      try check(report("ScenarioNest", preload: library), "nest")
    }
    // mimalloc keeps no count of live bytes.
    if let library = try locate("libmimalloc.so.2.0") {
      XCTAssertEqual(try report("ScenarioUnchosen", preload: library), ["mimalloc", "unknown", "true"])
    }
  }

  private func locate(_ name: String) throws -> String? {
    let found = try CommandResult.run(["sh", "-c", "ldconfig -p | sed -n \"s|.*=> \\(.*/$0\\)$|\\1|p\"", name]).lines
      .first
    if found == nil { print("\(name) is not installed: nothing was tried with it") }
    return found
  }
}

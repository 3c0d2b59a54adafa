// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// A real program under the preloaded libraries: the output is the one without them, byte for byte.
enum RealProgram {
  /// Runs a shell script that uses `program` without and with each library, in an empty folder of the same name.
  static func compare(_ program: String, _ script: String) throws {
    guard CommandResult.locate(program) != nil else {
      throw XCTSkip("skipped: no \(program) in PATH, so it was not run under the preloaded library")
    }
    let folder = try TemporaryFolder()
    func run(_ environment: [String: String]) throws -> CommandResult {
      try folder.empty()
      return try CommandResult.run(["sh", "-c", script], in: folder.url, environment: environment)
    }
    let expected = try run([:])
    XCTAssertEqual(expected.status, 0, expected.transcript)
    XCTAssertFalse(expected.standardOutput.isEmpty)
    for library in try PreloadLibrary.allCases.map({ try $0.path(.release) }) {
      let preloaded = try run(["LD_PRELOAD": library])
      XCTAssertEqual(preloaded.status, expected.status, "\(program), \(library): \(preloaded.standardError)")
      XCTAssertTrue(preloaded.standardOutput == expected.standardOutput, "\(program), \(library): other output")
      XCTAssertEqual(preloaded.standardError, expected.standardError, "\(program), \(library)")
    }
    // It was there: each process reports when it ends.
    let counted = try run(["LD_PRELOAD": try PreloadLibrary.counting.path(.release), "ALLOCATOR_COUNTS": "1"])
    XCTAssertTrue(
      (counted.standardError + counted.standardOutput).contains(" allocations, "), "\(program): nothing was counted")
  }
}

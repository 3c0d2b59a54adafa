// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// A real program under the preloaded libraries: the output is the one without them, byte for byte.
enum RealProgram {
  /// Runs a shell script that uses `program` without and with each library, each time in an empty folder. By default the counting
  /// library counts, and with all effort it is silent once more.
  static func compare(_ program: String, _ script: String) throws {
    guard CommandResult.locate(program) != nil else {
      throw XCTSkip("skipped: no \(program) in PATH, so it was not run under the preloaded library")
    }
    let libraries = try TestEffort.choice(PreloadLibrary.allCases, quick: [.nest]).map { try $0.path(.release) }
    let counting = ["LD_PRELOAD=\(try PreloadLibrary.counting.path(.release))", "ALLOCATOR_COUNTS=1"]
    let environments = [[]] + libraries.map { ["LD_PRELOAD=\($0)"] } + [counting]
    let folders = try environments.map { _ in try TemporaryFolder() }
    let runs = try withExtendedLifetime(folders) {
      try CommandResult.run(
        all: zip(environments, folders).map { ["env", "--chdir=\($1.url.path)"] + $0 + ["sh", "-c", script] })
    }
    let expected = runs[0]
    XCTAssertEqual(expected.status, 0, expected.transcript)
    XCTAssertFalse(expected.standardOutput.isEmpty)
    for (library, preloaded) in zip(libraries, runs.dropFirst()) {
      XCTAssertEqual(preloaded.status, expected.status, "\(program), \(library): \(preloaded.standardError)")
      XCTAssertTrue(preloaded.standardOutput == expected.standardOutput, "\(program), \(library): other output")
      XCTAssertEqual(preloaded.standardError, expected.standardError, "\(program), \(library)")
    }
    // It was there: each process reports when it ends.
    let counted = try XCTUnwrap(runs.last)
    XCTAssertTrue(
      (counted.standardError + counted.standardOutput).contains(" allocations, "), "\(program): nothing was counted")
  }
}

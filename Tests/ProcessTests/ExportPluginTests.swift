// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The plugin `ExportGlobalAllocator` in packages as users write them.
final class ExportPluginTests: XCTestCase {
  /// Each sample is one file with an allocator and a manifest with one dependency.
  func testSamplesBuildAndRun() throws {
    try concurrently([FixturePackage.Configuration.debug, .release]) { configuration in
      for sample in ["Malloc", "Bump"] {
        try Self.checkSample(FixturePackage.programs.path(configuration, of: "Hello\(sample)"))
      }
    }
  }

  /// Checks what a sample's program prints, and that its allocator is the process's.
  static func checkSample(_ program: String) throws {
    let run = try CommandResult.run([program])
    XCTAssertEqual(run.status, 0, "\(program): \(run.transcript)")
    // The sums of 0 ..< n for n up to 199; the characters of "item 0" to "item 199".
    XCTAssertEqual(run.lines, ["custom 1313400 1490"], "\(program): \(run.transcript)")
    // The malloc that the dynamic linker binds is the program's own.
    let mallocs = try CommandResult.run(
      ["sh", "-c", #"LD_DEBUG=bindings "$0" 2>&1 >/dev/null | grep "symbol .malloc'""#, program]
    ).lines
    XCTAssertGreaterThan(mallocs.count, 3, program)
    for line in mallocs { XCTAssertTrue(line.contains(" to \(program) ["), "\(program): \(line)") }
  }

  /// What an allocator can do beyond the five functions is found without a conformance that the compiler could look through,
  /// which in debug builds it cannot from one file to another.
  func testOptionalAbilityInOneFile() throws {
    for configuration in [FixturePackage.Configuration.debug, .release] {
      let run = try CommandResult.run([FixturePackage.programs.path(configuration, of: "ReleasingProgram")])
      XCTAssertEqual(run.lines, ["1 1 2"], "\(configuration): \(run.transcript)")
    }
  }

  func testMistakesAreNamedInWords() throws {
    let words = [
      "Missing": "this target exports an allocator and does not name it: declare `typealias LinkedAllocator = …` in it",
      "NonConforming": "type 'LinkedAllocator' (aka 'Plain') does not conform to protocol 'AllocatorABI'",
      "Unmarked": "// \"Not available in this module\": mark the allocator's functions `@_noLocks`",
    ]
    for (target, message) in words {
      let result = try FixturePackage.programs.tryBuilding(.debug.with("mistakes"), target: target) {
        $0.status != 0 && $0.transcript.contains(message)
      }
      XCTAssertNotEqual(result.status, 0, target)
      XCTAssertTrue(result.transcript.contains(message), "\(target): \(result.transcript)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Builds with the sanitizers that replace malloc.
final class SlowSanitizerTests: SlowTestCase {
  private func path(_ sanitizer: String, of program: String) throws -> String {
    try FixturePackage.programs.path(.sanitizer(sanitizer), of: program, product: program)
  }

  /// The sanitizers take over some of the names by which glibc's functions are called, and not others.
  func testSystemAllocator() throws {
    for sanitizer in ["address", "thread"] {
      let laws = try CommandResult.run([path(sanitizer, of: "AppSystem"), "laws"])
      XCTAssertEqual(laws.status, 0, "\(sanitizer): \(laws.transcript)")
    }
  }

  /// A sanitizer is malloc itself, and finds what it is there to find.
  func testSanitizersKeepTheirMalloc() throws {
    for (option, name) in [("address", "AddressSanitizer"), ("thread", "ThreadSanitizer")] {
      let program = try path(option, of: "CasesOnFive")
      let named = try CommandResult.run([program, "name", "arrays"])
      XCTAssertEqual(named.lines, ["counting (malloc: \(name))"], named.transcript)
      XCTAssertEqual(named.status, 0, named.transcript)
      if option == "address" {
        let misuse = try CommandResult.run([program, "double-free"])
        XCTAssertTrue(misuse.standardError.contains("attempting double-free"), misuse.transcript)
      }
    }
  }

  /// A sanitizer's malloc is in the executable too, and is not the linked allocator.
  func testInstallation() throws {
    let run = try CommandResult.run([path("address", of: "InstalledFamily"), "table"])
    XCTAssertEqual(run.status, 1, run.transcript)
    XCTAssertTrue(
      run.standardError.contains("; a sanitizer has taken malloc, and the linked allocator, "), run.transcript)
    XCTAssertFalse(run.lines.contains { $0.hasPrefix("malloc ") && $0.contains(" yes ") }, run.transcript)
  }

  /// There are no numbers of the sanitizer's malloc, and none are made up.
  func testReportsAreOfTheSanitizer() throws {
    for (option, name) in [("address", "AddressSanitizer"), ("thread", "ThreadSanitizer")] {
      let run = try CommandResult.run([path(option, of: "ScenarioSystem"), "process-allocator"])
      XCTAssertEqual(run.lines, ["\(name) unknown false"], run.transcript)
    }
  }
}

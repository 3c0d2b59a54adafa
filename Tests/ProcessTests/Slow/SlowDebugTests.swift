// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// What runs on release builds in every run of the tests, on debug builds.
final class SlowDebugTests: SlowTestCase {
  func testCasesInCProgram() throws { try PreloadTests.checkCases(.debug) }

  func testCasesInSwiftPrograms() throws { try MallocFamilyTests.runCases(.debug, MallocFamilyTests.cases) }

  /// And a table of what other allocators find.
  func testNestFindsWhatGlibcFinds() throws {
    var check = try MisuseCheck()
    try check.checkNest(.debug)
    for (name, library) in [
      ("jemalloc", "libjemalloc.so.2"), ("mimalloc", "libmimalloc.so.2"), ("tcmalloc", "libtcmalloc_minimal.so.4"),
    ] where try CommandResult.run(["true"], environment: ["LD_PRELOAD": library]).standardError.isEmpty {
      try check.run(name, library)
    }
    print(check)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import ProcessTestSupport
import XCTest

/// What runs on release builds in every run of the tests, on debug builds; and in full.
final class SlowDebugTests: SlowTestCase {
  func testCasesInCProgram() throws { try PreloadTests.checkCases(.debug, isShort: false) }

  func testCasesInSwiftPrograms() throws { try MallocFamilyTests.runCases(.debug, MallocFamilyTests.cases) }

  func testCasesOnLibraries() throws { try MallocFamilyTests.runCasesOnLibraries(.debug) }

  func testCasesOnComposedAllocators() throws { try MallocFamilyTests.runCasesOnComposedAllocators(.debug) }

  func testArtifacts() throws { try ArtifactCheck().check(.debug) }

  /// And a table of what other allocators find.
  func testNestFindsWhatGlibcFinds() throws {
    var check = try MisuseCheck()
    try check.checkNest(.debug)
    for library in BenchmarkKit.PreloadLibrary.known.compactMap(\.installed) {
      try check.run(library.name, library.path)
    }
    print(check)
  }
}

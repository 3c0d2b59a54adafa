// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import XCTest

/// On release builds, what the quick tests do on a few programs or a few times: all cases of `Tests/Fixtures/Programs/Sources/CCases`,
/// each as often as it takes to find what seldom goes wrong, and all artifacts.
final class SlowCasesTests: SlowTestCase {
  func testCasesInCProgram() throws { try PreloadTests.checkCases(.release, isShort: false) }

  func testCasesInSwiftPrograms() throws { try MallocFamilyTests.runCases(.release, MallocFamilyTests.cases) }

  func testCasesOnLibraries() throws { try MallocFamilyTests.runCasesOnLibraries(.release) }

  func testCasesOnComposedAllocators() throws { try MallocFamilyTests.runCasesOnComposedAllocators(.release) }

  func testArtifacts() throws { try ArtifactCheck().check(.release) }

  func testFieldCasesUnderThePreloadedLibraries() throws { try FieldCaseTests.checkPreloaded(isShort: false) }

  func testFieldCasesInAnExecutable() throws { try FieldCaseTests.checkExecutable(isShort: false) }

  func testFieldCasesInADebugBuild() throws { try FieldCaseTests.checkDebugBuild(isShort: false) }

  func testForkHandlersOfAnEarlierLibrary() throws { try FieldCaseTests.checkEarlierHandlers(isShort: false) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Profiles of debug builds, and of programs with the Swift runtime in them.
final class SlowHeapProfileTests: SlowTestCase {
  func testDebug() throws {
    try HeapProfileTests.check(.debug)
    try HeapProfileTests.checkFunctions(.debug)
  }

  /// Over glibc there are slots, and an allocator in the program has jumps. Async frames are found in the program itself.
  func testStaticStandardLibrary() throws {
    let configuration = FixturePackage.Configuration.staticStandardLibrary.unrestricted
    try HeapProfileTests.check(configuration, ["ProfiledUnchosen", "ProfiledNest", "ProfiledFive"])
    try HeapProfileTests.checkFunctions(configuration)
  }

  /// Without a dynamic linker there are jumps alone; where malloc is glibc's, there is no profile, and the reason is told.
  func testStaticExecutable() throws {
    let configuration = FixturePackage.Configuration.staticExecutable.unrestricted
    try HeapProfileTests.check(configuration, ["ProfiledNest"])
    try HeapProfileTests.checkFunctions(configuration)
    let program = try FixturePackage.programs.path(configuration, of: "ProfiledUnchosen", product: "ProfiledUnchosen")
    let refused = try CommandResult.run([program, "leak", "5000", "8192"])
    XCTAssertEqual(refused.status, 1, refused.transcript)
    XCTAssertEqual(refused.standardOutput, "", refused.transcript)
    XCTAssertTrue(
      refused.standardError.contains("allocator and Swift runtime are linked statically into one file"),
      refused.transcript)
  }
}

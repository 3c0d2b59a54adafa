// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Profiles of debug builds, and of programs with the Swift runtime in them.
final class SlowHeapProfileTests: SlowTestCase {
  func testDebug() throws { try HeapProfileTests.check(.debug) }

  /// Over glibc there are slots all the same; what they cannot show is said. With an allocator in the program, too, there is no
  /// profile, and the reason is told.
  func testStaticStandardLibrary() throws {
    var configuration = FixturePackage.Configuration.release.with(arguments: ["--static-swift-stdlib"])
    configuration.description = "profiled-static"
    let built = configuration
    func run(_ program: String) throws -> CommandResult {
      try CommandResult.run([
        try FixturePackage.programs.path(built, of: program, product: program), "leak", "5000", "8192",
      ])
    }
    let system = try run("ProfiledUnchosen")
    XCTAssertEqual(system.status, 0, system.transcript)
    XCTAssertTrue(system.standardOutput.contains("\nFIRST Profiled.Session "), system.transcript)
    XCTAssertTrue(system.standardOutput.contains("\nnote       async frames off"), system.transcript)
    let nest = try run("ProfiledNest")
    XCTAssertEqual(nest.status, 1, nest.transcript)
    XCTAssertEqual(nest.standardOutput, "", nest.transcript)
    XCTAssertTrue(
      nest.standardError.contains("allocator and Swift runtime are linked statically into one file"), nest.transcript)
  }
}

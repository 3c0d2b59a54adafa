// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Censuses of debug builds, and of programs with the Swift runtime in them.
final class SlowCensusTests: SlowTestCase {
  func testDebug() throws {
    CensusTests.check(try CensusTests.run("CountedNest", ["types"], .debug), says: "RIGHT")
    CensusTests.check(try CensusTests.run("CountedNest", ["threads", "50"], .debug), says: "HELD 50 of 50")
  }

  func testStaticStandardLibrary() throws {
    var configuration = FixturePackage.Configuration.release.with(arguments: ["--static-swift-stdlib"])
    configuration.description = "profiled-static"
    CensusTests.check(try CensusTests.run("CountedNest", ["types"], configuration), says: "RIGHT")
    CensusTests.check(try CensusTests.run("CountedNest", ["threads", "50"], configuration), says: "HELD 50 of 50")
  }
}

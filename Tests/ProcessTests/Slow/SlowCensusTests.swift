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
    let configuration = FixturePackage.Configuration.staticStandardLibrary.unrestricted
    CensusTests.check(try CensusTests.run("CountedNest", ["types"], configuration), says: "RIGHT")
    CensusTests.check(try CensusTests.run("CountedNest", ["threads", "50"], configuration), says: "HELD 50 of 50")
  }
}

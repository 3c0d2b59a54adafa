// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import XCTest

final class MisuseProgramTests: XCTestCase {
  func testNestFindsWhatGlibcFinds() throws {
    var check = try MisuseCheck()
    try check.checkNest(.release)
    try check.checkHardenedNest(.release)
    try check.runInstalled()
    print(check)
  }

  /// A size that a release says is looked at by hardened Nest alone. Which function has allocated a block, nobody of these knows.
  func testOperatorsOfCxx() throws {
    var check = try MisuseCheck("Misuse/misuse.cpp", leastCases: 40)
    try check.run("nest release", PreloadLibrary.nest.path(.release))
    try check.checkHardenedNestFindsAll(of: "size", .release)
    try check.runInstalled()
    print(check)
  }
}

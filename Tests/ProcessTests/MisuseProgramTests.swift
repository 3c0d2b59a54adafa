// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import XCTest

final class MisuseProgramTests: XCTestCase {
  func testNestFindsWhatGlibcFinds() throws {
    var check = try MisuseCheck()
    try check.checkNest(.release)
    print(check)
  }
}

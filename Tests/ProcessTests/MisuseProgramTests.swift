// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import TestEffort
import XCTest

final class MisuseProgramTests: XCTestCase {
  func testNestFindsWhatGlibcFinds() throws {
    var check = try MisuseCheck()
    try check.checkNest(.release)
    try check.checkHardenedNest(.release)
    if TestEffort.isFull { try check.runInstalled() }
    print(check)
  }

  /// Of many threads that find something at the same time, one says so.
  func testOneMessageOfManyThreads() throws {
    let program = try CProgram("Misuse/storm.c")
    let storms = [String](repeating: "", count: TestEffort.count(20, quick: 2))
    for library in [PreloadLibrary.nest, .nestHardened] {
      for run in try program.run(each: storms, preloading: library.path(.release)) {
        XCTAssertEqual(run.status, -SIGABRT, run.transcript)
        XCTAssertEqual(run.standardError.split(separator: "\n").count, 1, run.transcript)
      }
    }
  }

  /// A size that a release says is looked at by hardened Nest alone. Which function has allocated a block, nobody of these knows.
  func testOperatorsOfCxx() throws {
    var check = try MisuseCheck("Misuse/misuse.cpp", leastCases: 40)
    try check.run("nest release", PreloadLibrary.nest.path(.release))
    try check.checkHardenedNestFindsAll(of: "size", .release)
    if TestEffort.isFull { try check.runInstalled() }
    print(check)
  }
}

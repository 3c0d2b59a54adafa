// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

final class ListCommandTests: XCTestCase {
  func testListsWhatIsThereWithVersionsThatTheLibrariesThemselvesGive() throws {
    let result = try Tool.run(["list"])
    XCTAssertEqual(result.status, 0)
    let rows = result.lines.map { $0.split(separator: " ").map(String.init) }
    XCTAssertEqual(rows.map { $0[0] }, ["name", "system", "nest", "nest-hardened", "jemalloc", "mimalloc", "tcmalloc"])
    let libc = try CommandResult.run(["getconf", "GNU_LIBC_VERSION"]).lines
    XCTAssertEqual([rows[1][1...2].joined(separator: " ")], libc)
    for row in rows.dropFirst(2) where row.last?.hasPrefix("/") == true {
      XCTAssertNotNil(row[1].firstMatch(of: /^\d+\.\d+|\(Swift\)|^nest/), row.joined(separator: " "))
      XCTAssert(FileManager.default.fileExists(atPath: row.last!))
    }
  }

  func testLibraryOfTheUsersOwnIsListed() throws {
    let library = try Tool.library("jemalloc")
    let rows = try Tool.run(["list", "--library", "mine=\(library)"]).lines.map {
      $0.split(separator: " ").map(String.init)
    }
    let known = try XCTUnwrap(rows.first { $0[0] == "jemalloc" })
    let mine = try XCTUnwrap(rows.first { $0[0] == "mine" })
    XCTAssertEqual(mine.dropFirst(), known.dropFirst())
  }

  func testHelpIsNoError() throws {
    for result in try Tool.run(all: [["--help"], ["list", "--help"], ["help", "run"], []]) {
      XCTAssertEqual(result.status, 0)
      XCTAssertEqual(result.standardError, "")
      XCTAssert(result.standardOutput.contains("USAGE: allocators"), result.standardOutput)
    }
  }
}

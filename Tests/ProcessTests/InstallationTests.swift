// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// `GlobalAllocator.installation` and `requireInstalled()`, in programs of their own.
final class InstallationTests: XCTestCase {
  private let check = InstallationCheck()

  private func table(_ program: String, preloading library: String? = nil) throws -> CommandResult {
    try CommandResult.run(
      [FixturePackage.programs.path(.debug, of: program), "table"],
      environment: library.map { ["LD_PRELOAD": $0] } ?? [:])
  }

  func testDebug() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    try check.check(.debug)
  }

  func testRelease() throws { try check.check(.release) }

  func testPreloadedAllocator() throws {
    let second = try FixturePackage.programs.path(.debug, of: "libSecondMalloc.so")
    // An executable's own malloc comes before a preloaded one.
    for (program, name, library) in check.artifacts where library != program {
      let run = try table(program, preloading: second)
      XCTAssertEqual(run.status, 1, "\(program): \(run.transcript)")
      try check.checkWords(run, name: name, library: library, taker: "libSecondMalloc.so")
    }
    let run = try table("InstalledSystem", preloading: "libjemalloc.so.2")
    XCTAssertEqual(run.status, 1, run.transcript)
    try check.checkWords(run, name: "system", library: "libc.so.6", taker: "libjemalloc.so.2")
    // The five functions are still those that were linked.
    let five = run.lines.first { $0.hasPrefix("__rust_allocate ") }?.split(separator: " ").prefix(3)
    XCTAssertEqual(five, ["__rust_allocate", "InstalledSystem", "yes"], run.transcript)
  }

  func testAllocatorThatIsLinkedFirst() throws {
    let run = try table("InstalledSecondFirst")
    XCTAssertEqual(run.status, 1, run.transcript)
    try check.checkWords(run, name: "system", library: "libc.so.6", taker: "libSecondMalloc.so")
  }

  /// An allocator says itself which library its memory comes from. Without a list of names, it is found there.
  func testAllocatorOfALibrary() throws {
    for configuration in [FixturePackage.Configuration.debug, .release] {
      try check.check(
        (program: "InstalledLibrary", name: "custom", library: "libSecondMalloc.so"), configuration)
    }
  }

  /// With the five functions alone nothing but their callers uses the allocator, which is not what was asked for.
  func testFiveFunctionsWithoutTheMallocFamily() throws {
    let run = try table("InstalledFive")
    XCTAssertEqual(run.status, 1, run.transcript)
    try check.checkWords(run, name: "custom", library: "InstalledFive", taker: "libc.so.6")
  }

  /// An executable that defines malloc and does not export it runs half on libc's: its own calls are right, and no
  /// library's.
  func testMallocThatIsNotExported() throws {
    let program = try FixturePackage.programs.path(
      .debug.with("hidden"), of: "InstalledHidden", product: "InstalledHidden")
    let run = try CommandResult.run([program, "table"])
    XCTAssertEqual(run.status, 1, run.transcript)
    try check.checkWords(run, name: "custom", library: "InstalledHidden", taker: "libc.so.6", row: 1)
    let own = run.lines.first { $0.hasPrefix("malloc ") }?.split(separator: " ")
    XCTAssertEqual(own, ["malloc", "InstalledHidden", "yes", "InstalledHidden"], run.transcript)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTestKit
import CNestTestSupport
import Foundation
import NestAllocator
import ProcessTestSupport
import TestEffort
import XCTest

/// The hardened flavour: what each of its checks finds, and that without it nobody does. In processes of their own.
final class HardenedTests: XCTestCase {
  private func probe(_ variant: String, _ misuse: String, _ size: Int) throws -> CommandResult {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("nest-hardened-probe").path
    return try CommandResult.run([program, variant, misuse, "\(size)"], environment: ["SWIFT_BACKTRACE": "enable=no"])
  }

  private func assertFound(
    _ misuse: String, _ size: Int, message: String, with: String = "all", without variant: String, line: UInt = #line
  ) throws {
    let run = try probe(with, misuse, size)
    XCTAssertEqual(run.status, -SIGABRT, run.transcript, line: line)
    XCTAssertTrue(run.standardError.hasPrefix("nest: \(message)"), run.transcript, line: line)
    XCTAssertNotNil(
      run.standardError.range(of: ": 0x[0-9a-f]+\n$", options: .regularExpression), run.transcript, line: line)
    let missed = try probe(variant, misuse, size)
    XCTAssertEqual(missed.lines, ["missed"], missed.transcript, line: line)
  }

  private func assertFaults(_ misuse: String, _ size: Int, without variant: String, line: UInt = #line) throws {
    let run = try probe("all", misuse, size)
    XCTAssertEqual(run.status, -SIGSEGV, run.transcript, line: line)
    let missed = try probe(variant, misuse, size)
    XCTAssertEqual(missed.lines, ["missed"], missed.transcript, line: line)
  }

  private func assertStopped(
    _ misuse: String, _ size: Int, with: String = "all", without variant: String, line: UInt = #line
  ) throws {
    let run = try probe(with, misuse, size)
    XCTAssertEqual(run.lines, ["stopped"], run.transcript, line: line)
    let missed = try probe(variant, misuse, size)
    XCTAssertEqual(missed.lines, ["missed"], missed.transcript, line: line)
  }

  func testBytesBehindABlock() throws {
    for size in [0, 1, 40, 100, 3000, 20_000, 60_000] {
      try assertFound("overflow", size, message: "the bytes behind a block have been", without: "no-bytes")
    }
  }

  func testBytesBehindALargeBlock() throws {
    // Checked whether small ones are or not.
    for size in [100_000, 3_000_001] {
      let run = try probe("all", "overflow", size)
      XCTAssertEqual(run.status, -SIGABRT, run.transcript)
      XCTAssertTrue(run.standardError.contains("size \(size)"), run.transcript)
    }
  }

  func testSizesThatAreSaid() throws {
    for size in [40, 3000, 20_000, 200_000, 3_000_000] {
      try assertFound("wrong-size", size, message: "a block is released or resized with a size", without: "no-sizes")
    }
    let run = try probe("no-bytes", "wrong-class", 40)
    XCTAssertEqual(run.status, -SIGABRT, run.transcript)
    XCTAssertEqual(try probe("no-bytes-no-sizes", "wrong-class", 40).lines, ["missed"])
  }

  func testWritesAfterRelease() throws {
    for size in [40, 100] {
      try assertFound("write-after-release", size, message: "a free block has been written to", without: "no-clearing")
      try assertStopped("leftovers", size, without: "no-clearing")
    }
    // Behind what is cleared by default.
    for size in [700, 3000, 8000] {
      try assertFound(
        "write-after-release", size, message: "a free block has been written to", with: "clearing-all", without: "all")
      try assertStopped("leftovers", size, with: "clearing-all", without: "all")
    }
  }

  func testWritesThatOnlyTheEndOfTheProcessFinds() throws {
    // Of these, the 16 blocks of a span and more are made one after the other, and half of them stay in use.
    for size in [40, 700, 3000] {
      try assertFound(
        "write-before-the-end", size, message: "a free block has been written to", with: "clearing-all",
        without: "no-clearing")
    }
  }

  func testReuseIsDelayed() throws {
    for size in [16, 100, 500, 2000, 8000] { try assertStopped("reuse", size, without: "no-delay") }
  }

  func testNewBlocksAreInNoOrder() throws {
    for size in [24, 56, 120] { try assertStopped("neighbors", size, without: "no-shuffling") }
  }

  func testPagesBehindLargeBlocksAndReleasedOnes() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer ends a program that faults in its own way")
    for size in [70_000, 900_000, 1 << 20, 5_000_000] {
      try assertFaults("read-after-release", size, without: "no-guards")
    }
    for size in [70_000, 900_000] { try assertFaults("far-overflow", size, without: "no-guards") }
    XCTAssertEqual(try probe("all", "far-overflow", 5_000_000).status, -SIGSEGV)
  }

  func testLawsAndStressInAProcessOfTheirOwn() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: statistics read what other threads have at hand without a lock")
    for work in ["laws", "stress"] {
      let run = try probe("hardened", work, 0)
      XCTAssertEqual(run.status, 0, run.transcript)
    }
    for variant in TestEffort.choice(["no-bytes", "no-clearing", "clearing-all", "no-delay", "no-guards"], quick: []) {
      let run = try probe(variant, "laws", 0)
      XCTAssertEqual(run.status, 0, "\(variant): \(run.transcript)")
    }
  }

  /// Beside the fast flavour, with which it shares all that there is. In a process of its own, too: once there has been a hardened block,
  /// spans are larger, and blocks come in random order.
  func testLawsBesideTheFastFlavor() throws {
    let run = try probe("hardened", "beside", 0)
    XCTAssertEqual(run.status, 0, run.transcript)
  }
}

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
  /// Which build, which misuse, and the size of its block.
  private typealias Trial = (variant: String, misuse: String, size: Int)

  /// Runs the probe once for each, as many at a time as there are processors.
  private func probes(_ trials: [Trial], isHelped: Bool = false, most: Int? = nil) throws -> [CommandResult] {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("nest-hardened-probe").path
    return try CommandResult.run(
      all: trials.map { [program, $0.variant, $0.misuse, "\($0.size)"] },
      environment: ["SWIFT_BACKTRACE": "enable=no", "NEST_BACKGROUND": isHelped ? "1" : "0"],
      most: most ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  private func probe(_ variant: String, _ misuse: String, _ size: Int) throws -> CommandResult {
    try probes([(variant, misuse, size)])[0]
  }

  /// Runs a misuse with blocks of each size where it is to come to light, and once more without one check, where it has its way.
  /// Gives what the first ones left, by size.
  private func missed(
    _ misuse: String, _ sizes: [Int], with: String, without variant: String, line: UInt
  ) throws -> [(size: Int, run: CommandResult)] {
    let runs = try probes(sizes.flatMap { [(with, misuse, $0), (variant, misuse, $0)] })
    for missed in stride(from: 1, to: runs.count, by: 2).map({ runs[$0] }) {
      XCTAssertEqual(missed.lines, ["missed"], missed.transcript, line: line)
    }
    return sizes.enumerated().map { ($1, runs[2 * $0]) }
  }

  private func assertFound(
    _ misuse: String, _ sizes: [Int], message: String, with: String = "all", without variant: String,
    line: UInt = #line
  ) throws {
    for (size, run) in try missed(misuse, sizes, with: with, without: variant, line: line) {
      XCTAssertEqual(run.status, -SIGABRT, "\(size): \(run.transcript)", line: line)
      XCTAssertTrue(run.standardError.hasPrefix("nest: \(message)"), "\(size): \(run.transcript)", line: line)
      XCTAssertNotNil(
        run.standardError.range(of: ": 0x[0-9a-f]+\n$", options: .regularExpression), "\(size): \(run.transcript)",
        line: line)
    }
  }

  private func assertFaults(_ misuse: String, _ sizes: [Int], without variant: String, line: UInt = #line) throws {
    for (size, run) in try missed(misuse, sizes, with: "all", without: variant, line: line) {
      XCTAssertEqual(run.status, -SIGSEGV, "\(size): \(run.transcript)", line: line)
    }
  }

  private func assertStopped(
    _ misuse: String, _ sizes: [Int], with: String = "all", without variant: String, line: UInt = #line
  ) throws {
    for (size, run) in try missed(misuse, sizes, with: with, without: variant, line: line) {
      XCTAssertEqual(run.lines, ["stopped"], "\(size): \(run.transcript)", line: line)
    }
  }

  func testBytesBehindABlock() throws {
    try assertFound(
      "overflow", [0, 1, 40, 100, 3000, 20_000, 60_000], message: "the bytes behind a block have been",
      without: "no-bytes")
  }

  func testBytesBehindALargeBlock() throws {
    // Checked whether small ones are or not.
    for size in [100_000, 3_000_001] {
      let run = try probe("all", "overflow", size)
      XCTAssertEqual(run.status, -SIGABRT, run.transcript)
      XCTAssertTrue(run.standardError.contains("size \(size)"), run.transcript)
    }
  }

  func testBytesInFrontOfALargeBlock() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer ends a program that faults in its own way")
    let runs = try probes([Trial](repeating: ("all", "underflow", 100_000), count: 4))
    // In front of one may lie a guard.
    for run in runs { XCTAssert([-SIGABRT, -SIGSEGV].contains(run.status), run.transcript) }
    let message = "nest: the bytes in front of a block have been overwritten (underflow), size 100000: 0x"
    XCTAssert(runs.contains { $0.standardError.hasPrefix(message) }, runs[0].transcript)
  }

  func testSizesThatAreSaid() throws {
    try assertFound(
      "wrong-size", [40, 3000, 20_000, 200_000, 3_000_000], message: "a block is released or resized with a size",
      without: "no-sizes")
    let run = try probe("no-bytes", "wrong-class", 40)
    XCTAssertEqual(run.status, -SIGABRT, run.transcript)
    XCTAssertEqual(try probe("no-bytes-no-sizes", "wrong-class", 40).lines, ["missed"])
  }

  func testWritesAfterRelease() throws {
    let message = "a free block has been written to"
    let small = TestEffort.choice([40, 100], quick: [40])
    try assertFound("write-after-release", small, message: message, without: "no-clearing")
    try assertStopped("leftovers", small, without: "no-clearing")
    // Behind what is cleared by default.
    let larger = TestEffort.choice([700, 3000, 8000], quick: [3000])
    try assertFound("write-after-release", larger, message: message, with: "clearing-all", without: "all")
    try assertStopped("leftovers", larger, with: "clearing-all", without: "all")
  }

  func testWritesThatOnlyTheEndOfTheProcessFinds() throws {
    // Of these, the 16 blocks of a span and more are made one after the other, and half of them stay in use.
    try assertFound(
      "write-before-the-end", [40, 700, 3000], message: "a free block has been written to", with: "clearing-all",
      without: "no-clearing")
  }

  func testTheHelperLooksAtBlocksOfAProgramThatSleeps() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: there is no helper under the Thread Sanitizer")
    let overflow = "the bytes behind a block have been overwritten"
    let write = "a free block has been written to"
    let misuses = [
      ("overflow", [15, 17, 24, 40, 700, 3000, 20_000], overflow, "all"), ("write", [34, 100], write, "all"),
      ("write", [700, 3000], write, "clearing-all"), ("write-signature", [40, 100], write, "all"),
    ]
    let trials: [Trial] = misuses.flatMap { misuse, sizes, _, with in
      let without = with == "all" ? "no-background" : "clearing-all-no-background"
      return sizes.map { (with, "\(misuse)-asleep", $0) } + [(without, "\(misuse)-awhile", sizes[1])]
    }
    // All of them sleep nearly all the time, and so at the same time.
    var runs = try probes(trials, isHelped: true, most: trials.count)[...]
    for (misuse, sizes, message, _) in misuses {
      for (size, run) in zip(sizes, runs) {
        XCTAssertEqual(run.status, -SIGABRT, "\(misuse) \(size): \(run.transcript)")
        XCTAssertNotNil(
          run.standardError.range(of: "^nest: \(message).*: 0x[0-9a-f]+\n$", options: .regularExpression),
          "\(misuse) \(size): \(run.transcript)")
      }
      runs.removeFirst(sizes.count)
      let missed = runs.removeFirst()
      XCTAssertEqual(missed.lines, ["missed"], missed.transcript)
    }
  }

  func testReuseIsDelayed() throws {
    try assertStopped("reuse", [16, 100, 500, 2000, 8000], without: "no-delay")
  }

  func testNewBlocksAreInNoOrder() throws {
    try assertStopped("neighbors", [24, 56, 120], without: "no-shuffling")
  }

  func testPagesBehindLargeBlocksAndReleasedOnes() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer ends a program that faults in its own way")
    try assertFaults("read-after-release", [70_000, 900_000, 1 << 20, 5_000_000], without: "no-guards")
    try assertFaults("far-overflow", [70_000, 900_000], without: "no-guards")
    XCTAssertEqual(try probe("all", "far-overflow", 5_000_000).status, -SIGSEGV)
  }

  func testAddressesOfAClassAreNeverOthers() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: it has one thread, and takes long")
    try assertStopped(
      "other-classes", TestEffort.choice([100, 3000], quick: [3000]), without: "no-separation")
  }

  func testAddressSpaceThatIsExhaustedServesOtherClasses() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer needs more address space than that")
    let run = try probe("hardened", "exhaustion", 0)
    XCTAssertEqual(run.status, 0, run.transcript)
  }

  func testWhatIsGivenUpGoesBackByItself() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer has nobody give memory back")
    let run = try probes([("hardened", "given-up", 0)], isHelped: true)[0]
    XCTAssertEqual(run.status, 0, run.transcript)
  }

  func testLargerPages() throws {
    let runs = try probes([16 << 10, 64 << 10].map { ("hardened", "page-size", $0) })
    for run in runs { XCTAssertEqual(run.status, 0, run.transcript) }
  }

  func testPagesThatTheSystemDoesNotProtect() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: it has one thread, and takes minutes")
    // Where there is no helper, it is whoever gives all memory back that tries again.
    for isHelped in [false, true] {
      let quick = isHelped ? "no-separation" : "hardened"
      for variant in TestEffort.choice(["hardened", "no-separation"], quick: [quick]) {
        let run = try probes([(variant, "refusals", 0)], isHelped: isHelped)[0]
        XCTAssertEqual(run.status, 0, run.transcript)
      }
    }
  }

  func testChildrenWithSpansOnTheirWay() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer holds threads up at fork")
    let run = try probe("hardened", "fork", 0)
    XCTAssertEqual(run.status, 0, run.transcript)
    XCTAssertFalse(run.lines.contains("0 children mended something"), run.transcript)
  }

  func testLawsAndStressInAProcessOfTheirOwn() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: statistics read what other threads have at hand without a lock")
    let others = TestEffort.choice(["no-bytes", "no-clearing", "clearing-all", "no-delay", "no-guards"], quick: [])
    let trials: [Trial] = [("hardened", "laws", 0), ("hardened", "stress", 0)] + others.map { ($0, "laws", 0) }
    for (trial, run) in zip(trials, try probes(trials)) {
      XCTAssertEqual(run.status, 0, "\(trial): \(run.transcript)")
    }
  }

  /// Beside the fast flavour, with which it shares all that there is. In a process of its own, too: once there has been a hardened block,
  /// spans are larger, and blocks come in random order.
  func testLawsBesideTheFastFlavor() throws {
    let run = try probe("hardened", "beside", 0)
    XCTAssertEqual(run.status, 0, run.transcript)
  }
}

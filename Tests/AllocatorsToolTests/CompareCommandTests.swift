// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

@testable import AllocatorsTool

/// `allocators compare`, with an allocator that is none: a library that changes nothing, by whose name in LD_PRELOAD a program
/// can tell that it runs on it.
final class CompareCommandTests: XCTestCase {
  private var scratch: TemporaryFolder!
  private var double = ""

  nonisolated(unsafe) private static var library: Result<TemporaryFolder, any Error>?

  override class func tearDown() { library = nil }

  override func setUpWithError() throws {
    scratch = try TemporaryFolder()
    let library =
      Self.library
      ?? Result {
        let folder = try TemporaryFolder()
        _ = try folder.compile("double.so", "int allocator_double = 1;", ["-shared", "-fPIC"])
        return folder
      }
    Self.library = library
    double = try library.get().path("double.so")
  }

  override func tearDown() {
    scratch = nil
  }

  /// Arguments that compare the system's allocator with the double.
  private func arguments(_ more: [String], _ script: String) -> [String] {
    ["compare", "--library", "double=\(double)", "--allocators", "double"] + more + ["--", "sh", "-c", script]
  }

  private func report(_ more: [String], _ script: String, status: Int32 = 0) throws -> (CommandResult, ComparisonReport)
  {
    let json = scratch.path("report.json")
    let result = try Tool.run(arguments(["--json", json] + more, script))
    XCTAssertEqual(result.status, status, result.transcript)
    let report = try JSONDecoder().decode(
      ComparisonReport.self, from: Data(contentsOf: URL(fileURLWithPath: json)))
    return (result, report)
  }

  func testMoreMemoryIsFound() throws {
    let (result, report) = try report(
      ["--rounds", "9", "--seed", "11"],
      "case $LD_PRELOAD in *double*) n=20;; *) n=5;; esac; head -c ${n}000000 /dev/zero | tail -c ${n}000000 | wc -c >/dev/null"
    )
    let double = report.contenders[1]
    XCTAssertEqual(double.name, "double")
    let memory = try XCTUnwrap(double.result(.peakResident))
    XCTAssertEqual(memory.verdict, .more)
    XCTAssertGreaterThan(try XCTUnwrap(memory.ratio?.low), 1.5)
    XCTAssert(
      result.lines.contains { $0.hasPrefix("  double") && $0.hasSuffix(memory.verdictText) }, result.standardOutput)
    XCTAssertEqual(report.rounds, 9)
    XCTAssertEqual(double.runs, 9)
    XCTAssertEqual(report.samples.count, 20, "two warm-ups")
    XCTAssertEqual(report.samples.filter { $0.round == 0 }.map(\.contender), ["system", "double"])
    for order in report.orders {
      XCTAssertEqual(Set(order), ["system", "double"])
      XCTAssert(result.standardError.contains(": \(order.joined(separator: ", "))\n"), "every order is printed")
    }
    XCTAssertEqual(Set(report.orders).count, 2, "seed 11 draws both orders")
    XCTAssertEqual(report.plan.seed, 11)
    XCTAssertFalse(result.standardError.contains("\u{1B}"), "no colours and bars where there is no terminal")
  }

  func testTooFewRoundsSaySo() throws {
    let (result, report) = try report(["--rounds", "3"], "true")
    XCTAssertNotNil(
      result.lines[0].firstMatch(of: /^After 3 rounds(, not settled: double took | no difference has been seen)/),
      result.standardOutput)
    XCTAssertEqual(report.contenders[1].result(.wallTime)?.verdict, .tooFewRounds)
    XCTAssertNil(report.contenders[1].result(.wallTime)?.ratio?.low)
  }

  func testRunThatFailsIsReportedAndNotAveraged() throws {
    let (result, report) = try report(
      ["--rounds", "9"], "case $LD_PRELOAD in *double*) echo out of luck >&2; exit 9;; esac", status: 1)
    XCTAssertEqual(report.contenders[1].failure, "exited with status 9: out of luck")
    XCTAssertEqual(report.contenders[1].results, [])
    XCTAssertEqual(report.contenders[1].runs, 0)
    XCTAssertEqual(report.contenders[0].runs, 9)
    XCTAssert(
      result.lines.contains("failed: on double the program exited with status 9: out of luck"), result.standardOutput)
    XCTAssert(result.standardError.hasSuffix("allocators: runs failed on double; they are in no average\n"))
  }

  func testAnotherOutputIsReportedAndNotAveraged() throws {
    let (_, report) = try report(
      ["--rounds", "9"], "case $LD_PRELOAD in *double*) echo b;; *) echo a;; esac", status: 1)
    let failure = try XCTUnwrap(report.contenders[1].failure)
    XCTAssert(failure.contains("\"b") && failure.contains("system answered \"a"), failure)
    XCTAssertEqual(report.contenders[1].results, [])
  }

  func testOutputThatNeverRepeatsIsNotCompared() throws {
    let (result, report) = try report(["--rounds", "2"], "date +%N; echo $$")
    XCTAssertEqual(report.failures.count, 0)
    XCTAssert(
      result.standardOutput.contains("note: the program prints something else each time, so outputs are not compared"))
    let (quiet, _) = try self.report(["--rounds", "2", "--ignore-output"], "date +%N")
    XCTAssertFalse(quiet.standardOutput.contains("prints something else"))
  }

  func testSystemWithItself() throws {
    let result = try Tool.run(["compare", "--allocators", "system,system", "--rounds", "2", "--", "true"])
    XCTAssertEqual(result.status, 0, result.transcript)
    XCTAssert(result.standardOutput.contains("  system (2)"), result.standardOutput)
  }

  func testAllocatorThatTheProgramIsLinkedWithIsNamed() throws {
    let jemalloc = try Tool.library("jemalloc")
    let program = try scratch.compile("linked", "int main(void) { return 0; }", ["-Wl,--no-as-needed", jemalloc])
    let result = try Tool.run(
      ["compare", "--library", "double=\(double)", "--allocators", "double", "--rounds", "1", "--", program])
    XCTAssert(result.standardOutput.contains("is linked with jemalloc (\(jemalloc)): that is what 'system' means here"))
    let plain = try Tool.run(arguments(["--rounds", "1"], "true"))
    XCTAssertFalse(plain.standardOutput.contains("is linked with"))
  }

  func testServer() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    guard CommandResult.locate("python3") != nil else { throw XCTSkip("python3 is not installed") }
    let port = try freePort()
    let server = """
      import socket, sys
      s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      s.bind(("127.0.0.1", \(port))); s.listen()
      while True:
        c, _ = s.accept(); c.close()
      """
    let json = scratch.path("server.json")
    let load = ["--wait-for", "\(port)", "--drive", "echo score: 42.5", "--score", "score: ([0-9.]+)"]
    let result = try Tool.run(
      ["compare", "--library", "double=\(double)", "--allocators", "double", "--rounds", "9", "--json", json] + load
        + ["--", "python3", "-c", server])
    XCTAssertEqual(result.status, 0, result.transcript)
    let report = try JSONDecoder().decode(ComparisonReport.self, from: Data(contentsOf: URL(fileURLWithPath: json)))
    let score = try XCTUnwrap(report.contenders[1].result(.score))
    XCTAssertEqual(score.median, 42.5)
    XCTAssertEqual(score.ratio?.median, 1)
    XCTAssertEqual(score.verdict, .noDifference)
    XCTAssertEqual(report.contenders[1].result(.wallTime)?.verdict, MetricResult.Verdict.none, "the score decides")
    XCTAssertEqual(report.plan.load?.port, Int(port))
  }

  /// A port that nobody listened on just now.
  private func freePort() throws -> UInt16 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in(
      sin_family: sa_family_t(AF_INET), sin_port: 0, sin_addr: in_addr(s_addr: INADDR_LOOPBACK.bigEndian),
      sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
      }
    }
    try XCTSkipIf(code != 0, "no port is free: \(String(cString: strerror(errno)))")
    return UInt16(bigEndian: address.sin_port)
  }

  /// An interrupt in the middle: one line, the end that a shell takes for an interrupt, and no process left.
  func testInterruptLeavesNothingBehind() throws {
    let pids = scratch.path("pids")
    let script =
      "echo $$ >>\(pids); setsid sh -c 'echo $$ >>\(pids); sleep 1000' & sleep 1000 & echo $! >>\(pids); wait"
    let errors = scratch.path("errors")
    try Data().write(to: URL(fileURLWithPath: errors))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.arguments = arguments(["--rounds", "3"], script)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    var started: [Int32] = []
    for _ in 0..<3000 where started.count < 3 {
      usleep(10_000)
      let text = (try? String(contentsOfFile: pids, encoding: .utf8)) ?? ""
      started = text.split(separator: "\n").compactMap { Int32($0) }
    }
    XCTAssertEqual(started.count, 3)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    XCTAssertEqual(process.terminationReason, .uncaughtSignal)
    XCTAssertEqual(process.terminationStatus, SIGINT)
    for pid in started { XCTAssertFalse(FileManager.default.fileExists(atPath: "/proc/\(pid)"), "\(pid) is left") }
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    XCTAssertEqual(
      text.split(separator: "\n").filter { $0.hasPrefix("allocators:") },
      ["allocators: interrupted; nothing is left running"])
  }

  func testRefusals() throws {
    let double = ["--library", "double=\(double)", "--allocators", "double"]
    let program = try scratch.compile("static", "int main(void) { return 0; }", ["-static"])
    let refusals: [([String], Int32, String)] = [
      ([], 64, "a command is missing"),
      (["--", "no-such-program"], 127, "no-such-program"),
      (["--allocators", "nosuch", "--", "true"], 64, "no allocator 'nosuch'"),
      (["--allocators", "", "--", "true"], 64, "--allocators"),
      (["--rounds", "0", "--", "true"], 64, "--rounds"),
      (["--rounds", "x", "--", "true"], 64, "--rounds"),
      (["--budget", "nan", "--", "true"], 64, "--budget"),
      (["--rounds", "2", "--budget", "9", "--", "true"], 64, "exclude each other"),
      (["--wait-for", "80", "--", "true"], 64, "--drive"),
      (["--wait-for", "99999", "--drive", "true", "--", "true"], 64, "99999"),
      (["--score", "x", "--", "true"], 64, "--drive"),
      (["--wait-for", "9", "--drive", "true", "--score", "(", "--", "true"], 64, "regular expression"),
      (double + ["--html", "/no/such/folder/x.html", "--", "true"], 73, "/no/such/folder/x.html"),
      (double + ["--", "sh", "-c", "echo no >&2; exit 4"], 1, "exited with status 4: no"),
      (double + ["--", program], 126, "is a static executable"),
    ]
    try Tool.checkRefusals(refusals.map { (["compare"] + $0, $1, $2) })
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

@testable import AllocatorInsight

/// `census`, on this process, which is on glibc.
final class CensusCommandTests: XCTestCase {
  private var scratch: TemporaryFolder!
  private var folder = ""

  override func setUpWithError() throws {
    scratch = try TemporaryFolder()
    folder = scratch.path("sockets")
    guard case .listening = Insight.start(folder: folder) else { throw XCTSkip("no socket can be made here") }
  }

  override func tearDown() {
    HeapProfiler.stop()
    Insight.stop()
    scratch = nil
  }

  private var me: [String] { ["--folder", folder, "\(getpid())"] }

  func testSamples() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let objects = (0..<300).map { _ in Remembered() }
    let first = try Tool.run(["census"] + me)
    XCTAssertEqual(first.status, 0, first.transcript)
    XCTAssertTrue(first.lines[0].hasPrefix("By "), first.transcript)
    XCTAssertNotNil(
      first.standardOutput.firstMatch(of: /\n.* 300 \(±[01] %\)  AllocatorsToolTests.Remembered\n/), first.transcript)
    // The second one says what has changed since.
    let more = (0..<40).map { _ in Remembered() }
    let second = try Tool.run(["census"] + me)
    XCTAssertTrue(second.lines[0].hasPrefix("Live memory grew by "), second.transcript)
    XCTAssertNotNil(
      second.standardOutput.firstMatch(
        of: /[ ]340 \(±[01] %\) .* \+40 \(±[0-9]+ %\)  AllocatorsToolTests.Remembered\n/),
      second.transcript)
    let json = try Tool.run(["census", "--json"] + me)
    let object = try JSONSerialization.jsonObject(with: Data(json.standardOutput.utf8)) as? [String: Any]
    XCTAssertEqual(object?["exact"] as? Bool, false, json.transcript)
    withExtendedLifetime((objects, more)) {}
  }

  /// A profile is under way already: the change in so many seconds.
  func testDifferenceOfSamples() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let keeper = Keeper()
    keeper.keep(after: 0.3, 123)
    let result = try Tool.run(["census", "--diff", "1.5"] + me)
    XCTAssertEqual(result.status, 0, result.transcript)
    XCTAssertTrue(result.lines[0].hasPrefix("Live memory "), result.transcript)
    XCTAssertTrue(result.standardOutput.contains("AllocatorsToolTests.Remembered"), result.transcript)
    XCTAssertNotNil(
      result.standardOutput.firstMatch(of: /\+123 \(±[0-9]+ %\)  AllocatorsToolTests.Remembered/), result.transcript)
    XCTAssertTrue(HeapProfiler.isRunning, "it is somebody else's")
  }

  /// None is under way: one is made for as long.
  func testAProfileForTheDifference() throws {
    let keeper = Keeper()
    keeper.keep(after: 0.5, 4_567)
    for json in [[], ["--json"]] {
      let result = try Tool.run(["census", "--diff", "1.5", "--interval", "1"] + json + me)
      XCTAssertEqual(result.status, 0, result.transcript)
      XCTAssertFalse(HeapProfiler.isRunning)
      if json.isEmpty {
        XCTAssertTrue(result.lines[0].hasPrefix("By "), result.transcript)
        XCTAssertNotNil(
          result.standardOutput.firstMatch(of: /[ ]4,567 \(±[01] %\)  AllocatorsToolTests.Remembered\n/),
          result.transcript
        )
      } else {
        XCTAssertTrue(result.standardOutput.hasPrefix("{\"version\":1,"), result.transcript)
      }
    }
  }

  func testControlC() throws {
    let tool = Process()
    let output = Pipe()
    tool.executableURL = URL(fileURLWithPath: Tool.path)
    tool.arguments = ["census", "--diff", "600"] + me
    tool.standardOutput = output
    try tool.run()
    for _ in 0..<1_000 where !HeapProfiler.isRunning { usleep(10_000) }
    usleep(200_000)
    kill(tool.processIdentifier, SIGINT)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    tool.waitUntilExit()
    XCTAssertEqual(tool.terminationStatus, 0, text)
    XCTAssertTrue(text.contains("\nestimate   from "), text)
    XCTAssertFalse(HeapProfiler.isRunning)
  }

  func testRefusals() throws {
    try Tool.checkRefusal(
      ["census"] + me, status: 69,
      says:
        "cannot tell which blocks are live, and no heap profile is under way whose samples could be counted instead: a census "
        + "needs one, or Nest; --diff SECONDS makes a profile for so long")
    for seconds in ["0", "-1", "nan", "many", "86401"] {
      try Tool.checkRefusal(["census", "--diff=\(seconds)"] + me, status: 64, says: "--diff")
    }
    try Tool.checkRefusal(["census", "--interval", "0"] + me, status: 64, says: "--interval")
    try Tool.checkRefusal(["census", "999999999"], status: 66, says: "there is no process 999999999")
    try Tool.checkRefusal(["census", "1"], status: 69, says: "Insight.start()")
  }

  func testRequestsThatMakeNoSense() throws {
    let client = InsightClient(path: "\(folder)/\(getpid()).sock")
    for request in [
      "census html", "census-new 1", "census-mark 1", "census-since 1", "census-since 1,", "census-since x,text",
      "census-since 999,text", "census-since 1,text,text", "census-since ,,",
    ] {
      XCTAssertThrowsError(try client.ask(request), request) {
        guard case .error? = $0 as? InsightClient.Failure else { return XCTFail("\($0)") }
      }
    }
    XCTAssertEqual(try client.ask("census-mark begin"), "0 none\n")
  }
}

private final class Remembered { var (a, b) = (1, 2) }

/// Makes objects after a while, and keeps them.
private final class Keeper: @unchecked Sendable {
  private var objects: [Remembered] = []

  func keep(after seconds: Double, _ count: Int) {
    Thread.detachNewThread {
      usleep(UInt32(seconds * 1e6))
      for _ in 0..<count { self.objects.append(Remembered()) }
    }
  }
}

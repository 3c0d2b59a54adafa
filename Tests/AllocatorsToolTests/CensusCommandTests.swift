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

  /// Starts a census of a difference, has `body` run as soon as `hasBegun`, and interrupts it: what there is until then is told.
  private func difference(
    _ options: [String] = [], hasBegun: () -> Bool, _ body: () -> Void
  ) throws -> (status: Int32, text: String) {
    let tool = try StartedProgram([Tool.path, "census", "--diff", "600"] + options + me, hasErrors: false)
    for _ in 0..<30_000 where !hasBegun() { usleep(2_000) }
    // Who asks now is answered when the tool has been.
    _ = try InsightClient(path: "\(folder)/\(getpid()).sock").ask("report json")
    body()
    tool.send(SIGINT)
    let text = tool.rest()
    return (try tool.wait(), text)
  }

  /// A profile is under way already: the change meanwhile.
  func testDifferenceOfSamples() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let marked = CensusHistory.markedCount
    var objects: [Remembered] = []
    let (status, text) = try difference(hasBegun: { CensusHistory.markedCount > marked }) {
      objects = (0..<123).map { _ in Remembered() }
    }
    XCTAssertEqual(status, 0, text)
    XCTAssertTrue(text.hasPrefix("Live memory "), text)
    XCTAssertNotNil(text.firstMatch(of: /\+123 \(±[0-9]+ %\)  AllocatorsToolTests.Remembered/), text)
    XCTAssertTrue(HeapProfiler.isRunning, "it is somebody else's")
    withExtendedLifetime(objects) {}
  }

  /// None is under way: one is made for as long.
  func testAProfileForTheDifference() throws {
    var objects: [Remembered] = []
    let (status, text) = try difference(["--interval", "1"], hasBegun: { HeapProfiler.isRunning }) {
      objects = (0..<4_567).map { _ in Remembered() }
    }
    XCTAssertEqual(status, 0, text)
    XCTAssertFalse(HeapProfiler.isRunning)
    XCTAssertTrue(text.hasPrefix("By "), text)
    XCTAssertNotNil(text.firstMatch(of: /[ ]4,567 \(±[01] %\)  AllocatorsToolTests.Remembered\n/), text)
    withExtendedLifetime(objects) {}

    // To its end.
    let result = try Tool.run(["census", "--diff", "0.1", "--interval", "1", "--json"] + me)
    XCTAssertEqual(result.status, 0, result.transcript)
    XCTAssertFalse(HeapProfiler.isRunning)
    XCTAssertTrue(result.standardOutput.hasPrefix("{\"version\":1,"), result.transcript)
  }

  func testControlC() throws {
    let (status, text) = try difference(hasBegun: { HeapProfiler.isRunning }) {}
    XCTAssertEqual(status, 0, text)
    XCTAssertTrue(text.contains("\nestimate   from "), text)
    XCTAssertFalse(HeapProfiler.isRunning)
  }

  func testRefusals() throws {
    try Tool.checkRefusal(
      ["census"] + me, status: 69,
      says:
        "cannot tell which blocks are live, and no heap profile is under way whose samples could be counted instead: a census "
        + "needs one, or Nest; --diff SECONDS makes a profile for so long")
    let seconds = ["0", "-1", "nan", "many", "86401"]
    try Tool.checkRefusals(
      seconds.map { (["census", "--diff=\($0)"] + me, 64, "--diff") } + [
        (["census", "--interval", "0"] + me, 64, "--interval"),
        (["census", "999999999"], 66, "there is no process 999999999"),
        (["census", "1"], 69, "Insight.start()"),
      ])
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

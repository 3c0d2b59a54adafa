// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Foundation
import ProcessTestSupport
import XCTest

@testable import AllocatorsTool

/// `stats`, `watch` and `trim`, on processes with a socket and without.
final class MemoryCommandTests: XCTestCase {
  private var folder = ""

  override func setUp() {
    folder = "/tmp/insight-tool-\(getpid())-\(Int.random(in: 0..<1_000_000))"
  }

  override func tearDown() {
    Insight.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func object(_ text: String) throws -> [String: Any] {
    try XCTUnwrap(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], text)
  }

  func testStatsOfAnyProcess() throws {
    let result = try Tool.run(["stats", "1"])
    XCTAssertEqual(result.status, 0, result.transcript)
    XCTAssertTrue(result.lines[0].hasPrefix("unknown: "), result.transcript)
    XCTAssertTrue(result.standardOutput.contains("Insight.start()"), "what would add to it: \(result.transcript)")
    let json = try object(Tool.run(["stats", "--json", "1"]).standardOutput)
    XCTAssertGreaterThan(try XCTUnwrap((json["process"] as? [String: Any])?["resident"] as? Int), 0)
    XCTAssertTrue(json["allocator"] is NSNull)
    XCTAssertTrue(try XCTUnwrap(json["note"] as? String).contains("Insight.start()"))
  }

  /// From outside, what is mapped tells which allocator it is.
  func testStatsNamesTheAllocator() throws {
    let library = try Tool.library("jemalloc")
    let sleeper = try StartedProgram(["sleep", "30"], environment: ["LD_PRELOAD": library])
    // Until the program is there.
    var result = try Tool.run(["stats", "\(sleeper.processIdentifier)"])
    for _ in 0..<500 where !result.standardOutput.contains("malloc is answered by") {
      usleep(2_000)
      result = try Tool.run(["stats", "\(sleeper.processIdentifier)"])
    }
    XCTAssertTrue(result.standardOutput.contains("malloc is answered by jemalloc, in /"), result.transcript)
  }

  func testAProcessThatAnswers() throws {
    Insight.start(folder: folder)
    let options = ["--folder", folder, "\(getpid())"]
    let stats = try Tool.run(["stats"] + options)
    XCTAssertEqual(stats.status, 0, stats.transcript)
    XCTAssertTrue(stats.standardOutput.contains("allocator  glibc, live"), stats.transcript)
    let json = try object(Tool.run(["stats", "--json"] + options).standardOutput)
    XCTAssertGreaterThan(try XCTUnwrap((json["allocator"] as? [String: Any])?["live"] as? Int), 0)

    let trim = try Tool.run(["trim"] + options)
    XCTAssertEqual(trim.status, 0, trim.transcript)
    XCTAssertTrue(trim.standardOutput.contains(" given back in "), trim.transcript)
    XCTAssertTrue(trim.standardOutput.contains(" before, "), trim.transcript)
    XCTAssertNotNil(try object(Tool.run(["trim", "--json"] + options).standardOutput)["released"])

    let both = try Tool.run(
      all: [["--count", "3"], ["--json", "--count", "2"]].map { ["watch", "--interval", "0.1"] + $0 + options })
    let watch = both[0]
    XCTAssertEqual(watch.status, 0, watch.transcript)
    XCTAssertEqual(watch.lines.count, 5, "the sentence, a title and three lines: \(watch.transcript)")
    XCTAssertFalse(watch.standardOutput.contains("\u{1B}"), "no terminal, no control sequences")
    let lines = both[1].lines
    XCTAssertEqual(lines.count, 2)
    for line in lines { _ = try object(line) }
  }

  func testWatchRedrawsOnATerminal() {
    var lines = WatchLines()
    let report = MemoryReport.current()
    for _ in 0..<30 {
      let drawn = lines.add(report.json, isTerminal: true)
      XCTAssertEqual(drawn.count, 1)
    }
    let last = lines.add(report.json, isTerminal: true)[0]
    XCTAssertTrue(last.hasPrefix("\u{1B}[17A"), "up to the sentence")
    XCTAssertEqual(last.split(separator: "\n").count, 17, "15 lines at most below sentence and title")
    XCTAssertEqual(lines.add("no report", isTerminal: true), [])
  }

  func testRefusals() throws {
    try Tool.checkRefusals([
      (["stats", "999999999"], 66, "there is no process 999999999"),
      (["stats", "-1"], 64, "<pid>"),
      (["stats", "redis"], 64, "<pid>"),
      (["trim", "999999999"], 66, "there is no process"),
      (["watch", "999999999"], 66, "there is no process"),
      (["watch", "--interval", "0", "1"], 64, "--interval"),
      (["watch", "--count", "0", "1"], 64, "--count"),
      (["trim", "1"], 69, "Insight.start()"),
      (["trim", "--folder", folder, "\(getpid())"], 69, "Insight.start()"),
    ])
  }

  /// Something else answers at the path: the report is the system's, and says so.
  func testAnotherVersion() throws {
    mkdir(folder, 0o700)
    // A small program, which is looked at from outside more quickly than this one.
    let sleeper = try StartedProgram(["sleep", "100"])
    let pid = "\(sleeper.processIdentifier)"
    let server = try Server(path: "\(folder)/\(pid).sock", answer: "swift-allocators 7 ok 2\n{}")
    defer { server.stop() }
    let stats = try Tool.run(["stats", "--folder", folder, pid])
    XCTAssertEqual(stats.status, 0, stats.transcript)
    XCTAssertTrue(stats.standardOutput.contains("version 7, and this command speaks 1"), stats.transcript)
    try Tool.checkRefusal(["trim", "--folder", folder, pid], status: 69, says: "version 7")
  }

  /// The process ends while it is watched.
  func testProcessThatEnds() throws {
    let sleeper = try StartedProgram(["sleep", "600"])
    let watch = try StartedProgram(
      [Tool.path, "watch", "--interval", "0.1", "\(sleeper.processIdentifier)"], hasErrors: false)
    // The sentence, a title and the first line.
    let lines = (0..<3).map { _ in watch.line() }
    XCTAssertFalse(lines.contains(""), "\(lines)")
    sleeper.send(SIGTERM)
    // One that nobody has waited for is there still.
    XCTAssertEqual(try sleeper.wait(), -SIGTERM)
    let text = watch.rest()
    XCTAssertEqual(try watch.wait(), 0, "\(lines) \(text)")
  }

  /// A process of another user is told of, and not asked.
  func testAnotherUsersProcess() throws {
    guard getuid() == 0, let setpriv = CommandResult.locate("setpriv") else {
      throw XCTSkip("takes root, to be another user")
    }
    Insight.start(folder: folder)
    // The folder is not this user's to go through, so even a socket that anybody may write to could not be reached.
    let copy = "/tmp/allocators-\(getpid())"
    try? FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(atPath: Tool.path, toPath: copy)
    defer { try? FileManager.default.removeItem(atPath: copy) }
    let result = try CommandResult.run([
      setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups", copy, "stats", "--folder", folder,
      "\(getpid())",
    ])
    try XCTSkipIf(result.status == 127 || result.status == 126, "the runtime is not readable for others here")
    XCTAssertEqual(result.status, 0, result.transcript)
    XCTAssertTrue(result.standardOutput.contains("another user"), result.transcript)
    XCTAssertFalse(result.standardOutput.contains("allocator  "), result.transcript)
  }
}

/// Answers whatever is asked with the same bytes.
final class Server: @unchecked Sendable {
  private let descriptor: Int32

  /// - Parameter answered: is called after each answer, with the number of answers so far.
  init(path: String, answer: String, answered: @escaping @Sendable (Int) -> Void = { _ in }) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    guard InsightSocket.withAddress(path, { bind(descriptor, $0, $1) == 0 }), listen(descriptor, 4) == 0 else {
      throw XCTSkip("no socket can be made here")
    }
    Thread.detachNewThread {
      var count = 0
      while case let client = accept(descriptor, nil, nil), client >= 0 {
        var buffer = [UInt8](repeating: 0, count: 128)
        _ = recv(client, &buffer, buffer.count, 0)
        _ = send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
        close(client)
        count += 1
        answered(count)
      }
    }
  }

  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

@testable import AllocatorInsight
@testable import AllocatorsTool

/// `profile` and `diff`, on this process.
final class ProfileCommandTests: XCTestCase {
  private var scratch: TemporaryFolder!
  private var folder = ""

  override func setUpWithError() throws {
    scratch = try TemporaryFolder()
    folder = scratch.path("sockets")
  }

  override func tearDown() {
    HeapProfiler.stop()
    Insight.stop()
    scratch = nil
  }

  private func start() throws {
    guard case .listening = Insight.start(folder: folder) else { throw XCTSkip("no socket can be made here") }
  }

  /// The arguments that name this process.
  private var me: [String] { ["--folder", folder, "\(getpid())"] }

  /// Leaks `Forgotten` objects for as long as `body` runs.
  private func leaking<Result>(_ body: () throws -> Result) throws -> Result {
    let leak = Leak()
    Thread { leak.run() }.start()
    defer { leak.stop() }
    return try body()
  }

  func testEachFormat() throws {
    try start()
    let sizes: [String: String] = ["p.pb.gz": "64K", "p.html": "65536", "p.folded": "64k", "p.txt": "0064K"]
    let names = TestEffort.choice(Array(sizes.keys), quick: ["p.pb.gz", "p.folded"])
    for (name, interval) in sizes where names.contains(name) {
      let path = scratch.path(name)
      // Without what finds the lines of functions, which takes longer than all the rest.
      let result = try leaking {
        try Tool.run(
          ["profile", "--seconds", "0.1", "--interval", interval, "-o", path] + me, environment: Tool.withoutSymbolizer)
      }
      XCTAssertEqual(result.status, 0, result.transcript)
      XCTAssertTrue(result.lines[0].hasPrefix("Live memory grew by "), result.transcript)
      XCTAssertTrue(result.lines[0].contains(" of it from "), result.transcript)
      XCTAssertTrue(result.lines[0].contains("forget"), result.transcript)
      XCTAssertTrue(result.lines[0].contains(" × AllocatorsToolTests.Forgotten, ±"), result.transcript)
      XCTAssertEqual(result.lines.last, "written to \(path)")
      XCTAssertFalse(HeapProfiler.isRunning)
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      switch name {
      case "p.pb.gz": XCTAssertEqual(try HeapProfile(pprof: Array(data)).interval, 65_536)
      case "p.html": XCTAssertTrue(String(decoding: data, as: UTF8.self).hasPrefix("<!doctype html>"))
      case "p.folded":
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        XCTAssertTrue(lines.contains { $0.contains("forget") }, "\(lines)")
        XCTAssertTrue(lines.allSatisfy { Int($0.split(separator: " ").last ?? "") != nil }, "\(lines)")
      default: XCTAssertTrue(String(decoding: data, as: UTF8.self).hasPrefix(result.lines[0]))
      }
    }
    let printed = try leaking { try Tool.run(["profile", "--seconds", "0.1", "--interval", "64K"] + me) }
    XCTAssertTrue(printed.standardOutput.contains("\nsamples    "), printed.transcript)
    if CommandResult.locate("llvm-symbolizer") != nil {
      // The line of the call that allocates.
      let expression = try Regex("forget.*\\[ProfileCommandTests\\.swift:\(lineOfForget)\\]")
      XCTAssertNotNil(printed.standardOutput.firstMatch(of: expression), printed.transcript)
    }
  }

  func testLines() {
    XCTAssertEqual(SourceLines.line("/srv/Sources/Server/App.swift:12:3"), "App.swift:12")
    for answer in ["??:0:0", "", "App.swift", "/x/App.swift:0:0", "a:b:c"] { XCTAssertNil(SourceLines.line(answer)) }
  }

  func testRefusals() throws {
    try start()
    let intervals = ["0", "-1", "2G", "many", "1T", "", "99999999999999999999"]
    try Tool.checkRefusals(intervals.map { (["profile", "--interval=\($0)"] + me, 64, "--interval") })
    try Tool.checkRefusals([
      (["profile", "--seconds", "0"] + me, 64, "--seconds"),
      (["profile", "--seconds", "nan"] + me, 64, "--seconds"),
      (["profile", "-o", "p.pdf"] + me, 64, ".pb.gz, .html, .folded, .txt"),
      (["profile", "-o", "/nowhere/p.txt"] + me, 73, "/nowhere/p.txt cannot be written"),
    ])
    XCTAssertFalse(HeapProfiler.isRunning)
    try Tool.checkRefusal(["profile", "999999999"], status: 66, says: "there is no process 999999999")
    try Tool.checkRefusal(["profile", "1"], status: 69, says: "Insight.start()")
    try HeapProfiler.start()
    try Tool.checkRefusal(["profile"] + me, status: 69, says: "a profile is under way in this process already")
    XCTAssertTrue(HeapProfiler.isRunning, "the first one goes on")

    let nothing = scratch.path("nothing.pb.gz")
    try Tool.checkRefusal(["diff", nothing, nothing], status: 66, says: "cannot be read")
    for content in [[], [1, 2, 3], [0x1f, 0x8b, 8, 0, 1], Array(repeating: 0x0a, count: 500)] as [[UInt8]] {
      try Data(content).write(to: URL(fileURLWithPath: nothing))
      try Tool.checkRefusal(["diff", nothing, nothing], status: 65, says: "is no profile of this command")
    }
  }

  func testRequestsThatMakeNoSense() throws {
    try start()
    let client = InsightClient(path: "\(folder)/\(getpid()).sock")
    for request in [
      "profile-start x,1", "profile-start 1", "profile-start 1,0", "profile-start 0,5", "profile-start 1,99999999",
      "profile-start ,,", "profile-stop pprof", "profile-stop html",
    ] {
      XCTAssertThrowsError(try client.ask(request), request) {
        guard case .error? = $0 as? InsightClient.Failure else { return XCTFail("\($0)") }
      }
      XCTAssertFalse(HeapProfiler.isRunning)
    }
  }

  /// The profile is stopped, and what there is is told.
  func testControlC() throws {
    try start()
    let tool = try StartedProgram([Tool.path, "profile", "--seconds", "600"] + me, hasErrors: false)
    for _ in 0..<5_000 where !HeapProfiler.isRunning { usleep(2_000) }
    XCTAssertTrue(HeapProfiler.isRunning)
    tool.send(SIGINT)
    let text = tool.rest()
    XCTAssertEqual(try tool.wait(), 0, text)
    XCTAssertTrue(text.contains("samples    "), text)
    XCTAssertFalse(HeapProfiler.isRunning)
  }

  /// The process ends in the middle, or answers nonsense.
  func testProcessThatEnds() throws {
    mkdir(folder, 0o700)
    let sleeper = try StartedProgram(["sleep", "600"])
    // The first profile is started and stopped. When the second one has been started, the process ends.
    let server = try Server(
      path: "\(folder)/\(sleeper.processIdentifier).sock", answer: "swift-allocators 1 ok 8\nstarted\n"
    ) { count in
      guard count == 3 else { return }
      sleeper.send(SIGTERM)
      // Before it is waited for, it is there still.
      _ = try? sleeper.wait()
    }
    defer { server.stop() }
    let arguments = ["--folder", folder, "\(sleeper.processIdentifier)"]
    try Tool.checkRefusal(
      ["profile", "--seconds", "0.1"] + arguments, status: 65, says: "something else than a profile")
    try Tool.checkRefusal(["profile", "--seconds", "60"] + arguments, status: 66, says: "has ended meanwhile")
    XCTAssertEqual(try sleeper.wait(), -SIGTERM)
  }

  func testDiff() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let first = forget(100)
    let before = try XCTUnwrap(HeapProfiler.snapshot())
    let second = forget(250)
    let after = try XCTUnwrap(HeapProfiler.stop())
    let paths = [scratch.path("a.pb.gz"), scratch.path("b.pb.gz")]
    for (path, profile) in zip(paths, [before, after]) {
      try Data(profile.pprof).write(to: URL(fileURLWithPath: path))
    }
    let result = try Tool.run(["diff"] + paths)
    XCTAssertEqual(result.status, 0, result.transcript)
    XCTAssertTrue(result.lines[0].hasPrefix("Live memory grew by "), result.transcript)
    XCTAssertTrue(result.lines[0].contains("forget"), result.transcript)
    XCTAssertTrue(result.lines[0].contains("(250 × AllocatorsToolTests.Forgotten, ±0 %)"), result.transcript)
    let back = try Tool.run(["diff"] + paths.reversed(), environment: Tool.withoutSymbolizer)
    XCTAssertTrue(back.lines[0].hasPrefix("Live memory shrank by "), back.transcript)
    let page = try Tool.run(["diff", "-o", scratch.path("d.html")] + paths, environment: Tool.withoutSymbolizer)
    XCTAssertEqual(page.lines.last, "written to \(scratch.path("d.html"))", page.transcript)
    withExtendedLifetime((first, second)) {}
  }

  // MARK: The flame graph in a browser

  private struct Facts: Decodable {
    struct Box: Decodable {
      var name: String
      var left: Double
      var width: Double
      var top: Double
    }
    var boxes: [Box]
    var found: String
    var hits: Int
    var zoomed: Int
    var detail: String
    var background: [Int]
    var pageWidth: Double
    var windowWidth: Double
    var requests: Int
  }

  private static let script = """
    <script>
    const boxes = () => [...document.querySelectorAll("#graph button")];
    const facts = {boxes: boxes().map(e => { const r = e.getBoundingClientRect();
      return {name: e.title, left: r.left, width: r.width, top: r.top}; })};
    find.value = "FORGET"; find.oninput();
    facts.found = found.textContent;
    facts.hits = document.querySelectorAll(".hit").length;
    boxes().filter(e => e.title.includes("forget(")).pop().click();
    facts.zoomed = boxes().length;
    facts.detail = detail.textContent;
    facts.background = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).map(Number);
    facts.pageWidth = document.documentElement.scrollWidth;
    facts.windowWidth = window.innerWidth;
    facts.requests = performance.getEntriesByType("resource").length;
    const out = document.createElement("pre");
    out.id = "facts";
    out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(facts))));
    document.body.append(out);
    </script>
    """

  func testFlameGraphInABrowser() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let browser = try Browser(scratch)
    try HeapProfiler.start(samplingEvery: 1)
    let objects = forget(1_000)
    let others = (0..<100).map { _ in Hostile<Forgotten>() }
    let profile = try XCTUnwrap(HeapProfiler.stop())
    withExtendedLifetime((objects, others)) {}
    let page = profile.flameGraph
    XCTAssertFalse(page.contains("http"), "nothing is loaded")
    let path = scratch.path("page.html")
    try Data(page.replacingOccurrences(of: "</body>", with: Self.script + "</body>").utf8)
      .write(to: URL(fileURLWithPath: path))
    for (isDark, width) in [(false, 1000), (true, 1000), (false, 500), (true, 500)] {
      let (console, document) = try browser.open(path, isDark: isDark, width: width)
      XCTAssertEqual(console, [])
      let match = try XCTUnwrap(document.firstMatch(of: /<pre id="facts">([^<]*)</), document)
      let facts = try JSONDecoder().decode(Facts.self, from: try XCTUnwrap(Data(base64Encoded: String(match.1))))
      let box = try XCTUnwrap(facts.boxes.first { $0.name.contains("forget(") }, "\(facts)")
      let all = try XCTUnwrap(facts.boxes.first)
      XCTAssertTrue(all.name.hasPrefix("all: "))
      XCTAssertGreaterThan(box.width, all.width / 4)
      XCTAssertGreaterThan(box.top, all.top)
      XCTAssertTrue(facts.boxes.allSatisfy { $0.left >= 0 && $0.left + $0.width <= facts.windowWidth + 1 })
      XCTAssertGreaterThan(facts.hits, 0)
      XCTAssertTrue(facts.found.contains(" % in what was found"), facts.found)
      XCTAssertLessThanOrEqual(facts.zoomed, facts.boxes.count)
      XCTAssertTrue(facts.detail.contains("forget("), facts.detail)
      XCTAssertEqual(facts.background, isDark ? [13, 17, 23] : [255, 255, 255])
      XCTAssertLessThanOrEqual(facts.pageWidth, facts.windowWidth, "nothing has to be scrolled sideways")
      XCTAssertEqual(facts.requests, 0)
    }
  }
}

final class Forgotten {
  let values = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
}

/// A name with brackets, for a page.
final class Hostile<Value> {
  let value = 0
}

private let lineOfForget = #line + 1
@inline(never) private func forget(_ count: Int) -> [Forgotten] { (0..<count).map { _ in Forgotten() } }

private final class Leak: @unchecked Sendable {
  private let condition = NSCondition()
  private var mustStop = false
  private var hasStopped = false
  private var forgotten: [[Forgotten]] = []

  func run() {
    while !condition.withLock({ mustStop }) {
      forgotten.append(forget(500))
      usleep(1_000)
    }
    condition.withLock {
      hasStopped = true
      condition.broadcast()
    }
  }

  func stop() {
    condition.withLock {
      mustStop = true
      while !hasStopped { condition.wait() }
    }
    forgotten = []
  }
}

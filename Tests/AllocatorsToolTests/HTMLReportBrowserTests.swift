// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

@testable import AllocatorsTool

/// The page in a real browser.
final class HTMLReportBrowserTests: XCTestCase {
  /// What a script in the page sees.
  private struct Facts: Decodable {
    struct Box: Decodable {
      var left: Double
      var top: Double
      var width: Double
      var height: Double
      var color: [Int]
    }

    var verdict: String
    var text: String
    var background: [Int]
    var pageWidth: Double
    var windowWidth: Double
    var bars: [Box]
    var lines: [Box]
    var smallestText: Double
    var requests: Int
  }

  private static let measuringScript = """
    <script>
    const rgb = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
    const box = (element, color) => {
      const r = element.getBoundingClientRect();
      return {left: r.left, top: r.top, width: r.width, height: r.height, color: rgb(color)};
    };
    const facts = {
      verdict: document.getElementById("verdict").innerText,
      text: document.body.innerText,
      background: rgb(getComputedStyle(document.body).backgroundColor),
      pageWidth: document.documentElement.scrollWidth,
      windowWidth: window.innerWidth,
      bars: [...document.querySelectorAll(".bar")].map(e => box(e, getComputedStyle(e).fill)),
      lines: [...document.querySelectorAll("polyline")].map(e => box(e, getComputedStyle(e).stroke)),
      smallestText: Math.min(...[...document.querySelectorAll("text")].map(e => e.getBoundingClientRect().height)),
      requests: performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length
    };
    const out = document.createElement("pre");
    out.id = "facts";
    out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(facts))));
    document.body.append(out);
    </script>
    """

  private var scratch: TemporaryFolder!
  private var page = ""

  override func setUpWithError() throws {
    scratch = try TemporaryFolder()
    page = HTMLReport(ExampleReport.report).text
  }

  override func tearDown() {
    scratch = nil
  }

  private func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.path(name)))
    return scratch.path(name)
  }

  private func facts(_ browser: Browser, isDark: Bool, width: Int) throws -> Facts {
    let measured = page.replacingOccurrences(of: "</body>", with: Self.measuringScript + "</body>")
    let (console, document) = try browser.open(try write(measured, "measured.html"), isDark: isDark, width: width)
    XCTAssertEqual(console, [])
    let match = try XCTUnwrap(document.firstMatch(of: /<pre id="facts">([^<]*)</))
    return try JSONDecoder().decode(Facts.self, from: try XCTUnwrap(Data(base64Encoded: String(match.1))))
  }

  func testPageIsShownWithoutErrorsInBothSchemesAndOnAPhone() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let browser = try Browser(scratch)
    let broken = try write("<script>console.error('seen')</script>", "broken.html")
    XCTAssertEqual(try browser.open(broken).console.count, 1, "an error would be noticed")
    let (console, _) = try browser.open(try write(page, "page.html"))
    XCTAssertEqual(console, [])

    let ways = TestEffort.choice(
      [(false, 1000), (true, 1000), (false, 500), (true, 500)], quick: [(false, 1000), (true, 500)])
    for (isDark, width) in ways {
      let facts = try facts(browser, isDark: isDark, width: width)
      XCTAssertEqual(facts.verdict, ExampleReport.report.verdict)
      for text in ["20 % less", "2.0 times as much", "no difference", "100.0 ms", "40.0 MiB", "exited with status 3"] {
        XCTAssert(facts.text.contains(text), text)
      }
      XCTAssertEqual(facts.background, isDark ? [13, 17, 23] : [255, 255, 255])
      XCTAssertLessThanOrEqual(facts.pageWidth, facts.windowWidth, "nothing has to be scrolled sideways")
      XCTAssertGreaterThanOrEqual(facts.smallestText, 12, "text keeps its size")
      XCTAssertEqual(facts.requests, 0)

      // Two allocators with results, three metrics that decide.
      XCTAssertEqual(facts.bars.count, 6)
      for bar in facts.bars {
        XCTAssertEqual(bar.height, 14)
        XCTAssertGreaterThanOrEqual(bar.left, 0)
        XCTAssertLessThanOrEqual(bar.left + bar.width, facts.windowWidth)
      }
      // Time 0.8 of the baseline's, CPU time the same, memory 2.
      XCTAssertEqual(facts.bars[0].width, facts.bars[2].width, accuracy: 0.5)
      XCTAssertGreaterThan(facts.bars[0].width, 100)
      XCTAssertGreaterThan(facts.bars[4].width, facts.bars[0].width)
      XCTAssertLessThan(facts.bars[1].width, 3, "no difference, no bar")
      XCTAssertEqual(facts.lines.count, 3, "the broken one has no line")
      XCTAssertEqual(Set(facts.lines.map(\.color)).count, 3)
    }
  }

  /// The picture itself: where the document has its bars, there are their colours, and the headline is written in ink.
  func testScreenshotShowsBarsAndText() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let browser = try Browser(scratch)
    for isDark in [false, true] {
      let facts = try facts(browser, isDark: isDark, width: 800)
      let picture = try browser.screenshot(try write(page, "page.html"), isDark: isDark, width: 800, height: 2400)
      let bars = facts.bars.filter { $0.width > 20 }
      XCTAssertEqual(bars.count, 3)
      // Near the upper edge, above the whisker.
      let points = bars.map { [$0.left + $0.width * 0.5, $0.top + 2] }
      let colors = try pixels(of: picture, at: points, browser)
      XCTAssertEqual(colors.spots, bars.map(\.color))
      XCTAssertGreaterThan(colors.inkShare, 0.02, "the headline")
      XCTAssertLessThan(colors.inkShare, 0.5)
    }
  }

  private struct Pixels: Decodable {
    var spots: [[Int]]
    /// How much of the upper left part differs from the background.
    var inkShare: Double
  }

  /// The browser reads its own picture.
  private func pixels(of picture: String, at points: [[Double]], _ browser: Browser) throws -> Pixels {
    let data = try Data(contentsOf: URL(fileURLWithPath: picture)).base64EncodedString()
    let reader = """
      <!doctype html><body><script>
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        canvas.width = image.width; canvas.height = image.height;
        const context = canvas.getContext("2d", {willReadFrequently: true});
        context.drawImage(image, 0, 0);
        const at = ([x, y]) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
        const top = context.getImageData(16, 24, 400, 120).data;
        let ink = 0;
        for (let i = 0; i < top.length; i += 4) {
          if (Math.abs(top[i] - top[0]) + Math.abs(top[i + 1] - top[1]) + Math.abs(top[i + 2] - top[2]) > 150) ink++;
        }
        const out = document.createElement("pre");
        out.id = "pixels";
        out.textContent = JSON.stringify({spots: \(points).map(at), inkShare: ink / (top.length / 4)});
        document.body.append(out);
      };
      image.src = "data:image/png;base64,\(data)";
      </script></body>
      """
    let (console, document) = try browser.open(try write(reader, "reader.html"))
    XCTAssertEqual(console, [])
    let match = try XCTUnwrap(document.firstMatch(of: /<pre id="pixels">([^<]*)</), document)
    return try JSONDecoder().decode(Pixels.self, from: Data(match.1.utf8))
  }
}

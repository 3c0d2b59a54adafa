// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Foundation
import XCTest

@testable import AllocatorInsight

final class MemoryReportTests: XCTestCase {
  func testThisProcess() throws {
    let report = MemoryReport.current()
    XCTAssertEqual(report.process.processID, Int(getpid()))
    let resident = try XCTUnwrap(report.process.residentBytes)
    XCTAssertGreaterThan(resident, 1 << 20)
    XCTAssertEqual(
      (report.process.anonymousBytes ?? 0) + (report.process.fileBytes ?? 0) + (report.process.sharedBytes ?? 0),
      resident)
    XCTAssertGreaterThanOrEqual(try XCTUnwrap(report.process.peakResidentBytes), resident)
    XCTAssertGreaterThanOrEqual(try XCTUnwrap(report.process.threadCount), 1)
    XCTAssertEqual(report.process.userID, Int(getuid()))
    XCTAssertEqual(report.allocator?.name, "glibc")
    XCTAssertGreaterThan(try XCTUnwrap(report.allocator?.statistics.liveBytes), 0)
  }

  func testAnyProcess() throws {
    let report = try XCTUnwrap(MemoryReport(ofProcess: 1))
    XCTAssertNil(report.allocator)
    XCTAssertGreaterThan(try XCTUnwrap(report.process.residentBytes), 0)
    XCTAssertNil(MemoryReport(ofProcess: 1 << 30))
  }

  func testMappingsAreCountedWhereThatIsAskedFor() throws {
    XCTAssertNil(MemoryReport.current().mappings)
    let report = MemoryReport.current(countingMappings: true)
    let mappings = try XCTUnwrap(report.mappings)
    let resident = try XCTUnwrap(report.process.residentBytes)
    XCTAssertLessThanOrEqual(try XCTUnwrap(mappings.privateDirtyBytes), resident + (8 << 20))
    XCTAssertGreaterThan(try XCTUnwrap(mappings.proportionalBytes), 1 << 20)
    XCTAssertTrue(report.description.contains("\nmappings   proportional "), report.description)
    XCTAssertTrue(report.json.contains("\"privateDirty\":\(mappings.privateDirtyBytes!)"), report.json)
    XCTAssertNil(MappingsMemory(ofProcess: "2"), "a thread of the kernel, or no process at all")
  }

  func testTextBeginsWithTheSentence() {
    let report = MemoryReport.current()
    XCTAssertTrue(report.description.hasPrefix(report.verdict.sentence + "\n\nprocess"), report.description)
    XCTAssertFalse(report.logLine.contains("\n"))
  }

  func testJSONIsJSON() throws {
    let report = MemoryReport.current()
    let object = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    XCTAssertEqual((object["verdict"] as? [String: Any])?["kind"] as? String, report.verdict.kind.rawValue)
    XCTAssertEqual((object["process"] as? [String: Any])?["resident"] as? Int, report.process.residentBytes)
    XCTAssertEqual((object["allocator"] as? [String: Any])?["live"] as? Int, report.allocator?.statistics.liveBytes)
    XCTAssertTrue((object["allocator"] as? [String: Any])?["allocations"] is NSNull, "not known is null, and not 0")
  }

  func testJSONEscapes() throws {
    let odd = "a\"b\\c\nd\te\u{1}f\u{7f}ü🙂"
    var writer = JSONWriter()
    writer.object { $0.member(odd, odd) }
    let object = try JSONSerialization.jsonObject(with: Data(writer.text.utf8)) as? [String: String]
    XCTAssertEqual(object, [odd: odd])
  }

  /// Each line is a comment or a sample; each metric has its type before its samples, and once.
  func testPrometheusFormat() {
    var report = MemoryReport.current()
    report.allocator?.name = "a\"b\\c\nd"
    var typed: Set<Substring> = []
    for line in report.prometheus.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        let name = line.split(separator: " ")[2]
        XCTAssertTrue(typed.insert(name).inserted, "\(name) twice")
        continue
      }
      if line.hasPrefix("# HELP ") { continue }
      let sample = #/([a-z_][a-z0-9_]*)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"\})? (-?[0-9.]+)/#
      guard let match = line.wholeMatch(of: sample) else {
        XCTFail("no sample: \(line)")
        continue
      }
      XCTAssertTrue(typed.contains(match.1), "\(match.1) without a type")
    }
    XCTAssertTrue(typed.contains("memory_verdict"))
    XCTAssertTrue(typed.contains("memory_allocator_live_bytes"))
    XCTAssertFalse(typed.contains("memory_allocator_allocations_total"), "not known, not told")
  }

  /// What a trim says it will give back, it gives back; and afterwards it no longer says so.
  func testTrim() throws {
    // What other tests have left in this process and does not go back, although it is said to: some of it is used again here.
    MemoryTrim.perform()
    let left = try XCTUnwrap(MemoryReport.current().releasableBytes)
    let blocks = (0..<100_000).map { _ in
      let block = malloc(1_000)!
      memset(block, 1, 1_000)
      return block
    }
    let last = malloc(1_000)!
    for (index, block) in blocks.enumerated() where index % 50 != 0 { free(block) }
    let releasable = try XCTUnwrap(MemoryReport.current().releasableBytes)
    XCTAssertGreaterThan(releasable, 60 << 20)
    let trim = MemoryTrim.perform()
    XCTAssertTrue(trim.isPossible)
    XCTAssertGreaterThan(Double(trim.releasedBytes), Double(releasable - left) * 0.8)
    // Other threads of this process may release something meanwhile; `SlowVerdictTests` holds the figure in processes of its own.
    XCTAssertLessThan(Double(trim.releasedBytes), Double(releasable) * 1.2 + Double(32 << 20))
    XCTAssertLessThan(try XCTUnwrap(MemoryReport.current().releasableBytes), releasable / 2)
    XCTAssertEqual(MemoryReport.current().lastTrim, trim)
    XCTAssertTrue(trim.sentence.contains("given back"), trim.sentence)
    for (index, block) in blocks.enumerated() where index % 50 == 0 { free(block) }
    free(last)
  }

  func testEndpoint() throws {
    let text = InsightEndpoint.answer(path: "/debug/memory")
    XCTAssertEqual(text.status, 200)
    XCTAssertTrue(String(decoding: text.bytes, as: UTF8.self).contains("process"))
    let json = InsightEndpoint.answer(path: "/memory", query: "a=b&format=json")
    XCTAssertEqual(json.contentType, "application/json")
    XCTAssertNoThrow(try JSONSerialization.jsonObject(with: Data(json.bytes)))
    for metrics in [
      InsightEndpoint.answer(path: "/metrics"), InsightEndpoint.answer(path: "memory", query: "format=prometheus"),
    ] {
      XCTAssertEqual(metrics.contentType, "text/plain; version=0.0.4; charset=utf-8")
      XCTAssertTrue(String(decoding: metrics.bytes, as: UTF8.self).hasPrefix("# HELP memory_"))
    }
    XCTAssertEqual(InsightEndpoint.answer(path: "/memory", query: "format=xml").status, 400)
    XCTAssertEqual(InsightEndpoint.answer(path: "/").status, 404)
    XCTAssertEqual(InsightEndpoint.answer(path: "/trim").status, 404)
    XCTAssertEqual(InsightEndpoint.answer(path: "", query: "&&=&format").status, 404)
  }

  func testNumbersForPeople() {
    XCTAssertEqual(
      "\(ByteCount(0)), \(ByteCount(999)), \(ByteCount(1_500)), \(ByteCount(5 << 30))",
      "0 bytes, 999 bytes, 1.5 KiB, 5.0 GiB")
    XCTAssertEqual("\(ByteCount(106 << 20)), \(ByteCount(-2_048))", "106 MiB, -2.0 KiB")
    XCTAssertEqual(
      "\(TimeSpan(59)), \(TimeSpan(600)), \(TimeSpan(7_200)), \(TimeSpan(864_000))", "59 s, 10 min, 2.0 h, 10.0 days")
  }
}

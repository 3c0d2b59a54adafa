// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Foundation
import XCTest

@testable import AllocatorInsight

/// The census of the process that runs the tests, which is on glibc: by samples. What is exact is tested in processes of their own.
final class CensusTests: XCTestCase {
  override func tearDown() {
    HeapProfiler.stop()
    insight_refuse_reading(0)
  }

  private func refusal(line: UInt = #line) -> String? {
    do throws(Census.Failure) {
      _ = try Census.current()
      XCTFail("a census", line: line)
      return nil
    } catch {
      return error.description
    }
  }

  func testNoProfile() {
    XCTAssertEqual(
      refusal(),
      "the allocator (glibc) cannot tell which blocks are live, and no heap profile is under way whose samples could be counted "
        + "instead: a census needs one, or Nest")
  }

  func testASystemThatForbidsReading() throws {
    try HeapProfiler.start(samplingEvery: 1)
    // The first profile of a process tries async frames once, and has to read for that.
    for _ in 0..<500 where HeapProfiler.state.async_frames == 0 { usleep(10_000) }
    insight_refuse_reading(UInt32(INSIGHT_READ_BY_CALL | INSIGHT_READ_BY_PIPE))
    XCTAssertTrue(refusal()?.contains("process_vm_readv(2)") ?? false)
    insight_refuse_reading(UInt32(INSIGHT_READ_BY_CALL))
    XCTAssertFalse(try Census.current().isExact)
  }

  /// With one byte between samples every object is one, and without an error.
  func testSamples() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let before = try Census.current()
    let objects = (0..<500).map { _ in CountedObject() }
    let blocks = (0..<70).map { _ in malloc(100_000)! }
    let now = try Census.current().since(before)
    let group = try XCTUnwrap(now.types["AllocatorInsightTests.CountedObject"])
    XCTAssertEqual(group.live.objects.value, 500, accuracy: 1e-6)
    XCTAssertEqual(group.live.bytes.value, 500 * 32, accuracy: 1e-3)
    XCTAssertEqual(try XCTUnwrap(group.change).objects.value, 500, accuracy: 1e-6)
    XCTAssertLessThan(group.live.objects.standardError, 1e-3)
    let size = try XCTUnwrap(now.sizes[1 << 17])
    XCTAssertEqual(size.change?.objects.value, 70)
    XCTAssertFalse(now.isExact)
    XCTAssertGreaterThan(now.samples, 570)
    XCTAssertTrue(now.headline.hasPrefix("Live memory grew by "), now.headline)
    XCTAssertTrue(
      now.headline.contains("most of it is 70 × block that is no Swift object, up to 128 KiB each (6.7 MiB, "),
      now.headline
    )
    for block in blocks { free(block) }
    let after = try Census.current().since(now)
    XCTAssertEqual(after.sizes[1 << 17]?.change?.objects.value, -70)
    XCTAssertTrue(after.headline.hasPrefix("Live memory shrank by "), after.headline)
    withExtendedLifetime(objects) {}
  }

  /// An estimate stays within its errors, and says that it is one.
  func testEstimates() throws {
    try HeapProfiler.start(samplingEvery: 2_048)
    let objects = (0..<20_000).map { _ in CountedObject() }
    let census = try Census.current()
    let group = try XCTUnwrap(census.types["AllocatorInsightTests.CountedObject"])
    XCTAssertGreaterThan(group.live.objects.standardError, 100)
    XCTAssertLessThan(abs(group.live.objects.value - 20_000), 5 * group.live.objects.standardError)
    XCTAssertTrue(census.headline.hasPrefix("By \(census.samples) samples, "), census.headline)
    XCTAssertTrue(census.description.contains("\nestimate   from \(census.samples) live samples, one in 2.0 KiB"))
    withExtendedLifetime(objects) {}
  }

  private func made(_ types: [String: (Int, Int)], _ sizes: [Int: (Int, Int)], time: Double) -> Census {
    func group(_ numbers: (Int, Int)) -> Census.Group {
      var group = Census.Group()
      group.live.objects = .init(Double(numbers.0))
      group.live.bytes = .init(Double(numbers.1))
      return group
    }
    var census = Census()
    census.types = types.mapValues(group)
    census.sizes = sizes.mapValues(group)
    census.time = time
    census.allocator = "nest"
    census.seconds = 0.0123
    return census
  }

  func testText() {
    let before = made(["A.B": (10, 1_000), "A.Gone": (5, 500_000)], [64: (1, 64)], time: 100)
    let now = made(["A.B": (640_010, 64_001_000), "A.New": (1, 96)], [64: (1, 64), 1 << 20: (2, 2 << 20)], time: 160)
    XCTAssertEqual(
      now.headline, "63 MiB are alive in 640,014 blocks; most of it is 640,010 × A.B (61 MiB, 97 %)")
    let change = now.since(before)
    XCTAssertEqual(
      change.headline, "Live memory grew by 63 MiB in 60 s; most of it is 640,000 × A.B (61 MiB, 98 %)")
    XCTAssertEqual(
      change.description,
      """
      Live memory grew by 63 MiB in 60 s; most of it is 640,000 × A.B (61 MiB, 98 %)

            live   blocks     change    blocks  type
          61 MiB  640,010    +61 MiB  +640,000  A.B
         2.0 MiB        2   +2.0 MiB        +2  no Swift object, up to 1.0 MiB each
         0 bytes        0   -488 KiB        -5  A.Gone
        96 bytes        1  +96 bytes        +1  A.New
        64 bytes        1    0 bytes         0  no Swift object, up to 64 bytes each

      exact      every live block of nest was looked at, in 12.3 ms
      """)
    XCTAssertTrue(before.since(now).headline.hasPrefix("Live memory shrank by 63 MiB in "), before.since(now).headline)
    // Nothing at all.
    XCTAssertEqual(made([:], [:], time: 1).headline, "0 bytes are alive in 0 blocks")
    XCTAssertEqual(now.since(now).headline, "Live memory grew by 0 bytes in 0 s")
    XCTAssertEqual(now.since(now).rows.count, 4)
  }

  func testJSON() throws {
    let before = made(["A.B": (10, 1_000)], [:], time: 100)
    let now = made(["A.B": (30, 3_000), "A.\"C\"": (1, 16)], [64: (1, 64)], time: 160.5)
    func parse(_ text: String) throws -> [String: Any] {
      try XCTUnwrap(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
    let object = try parse(now.since(before).json)
    XCTAssertEqual(object["version"] as? Int, 1)
    XCTAssertEqual(object["exact"] as? Bool, true)
    XCTAssertEqual(object["secondsSince"] as? Double, 60.5)
    let types = try XCTUnwrap(object["types"] as? [[String: Any]])
    XCTAssertEqual(types.map { $0["type"] as? String }, ["A.B", "A.\"C\""])
    XCTAssertEqual(types[0]["objects"] as? Int, 30)
    XCTAssertEqual(types[0]["bytesChange"] as? Int, 2_000)
    XCTAssertNil(types[0]["bytesError"])
    XCTAssertEqual((object["sizes"] as? [[String: Any]])?[0]["upToBytes"] as? Int, 64)
    XCTAssertEqual((object["total"] as? [String: Any])?["objectsChange"] as? Int, 22)
    XCTAssertEqual((object["notes"] as? [Any])?.count, 0)
    XCTAssertTrue(try parse(now.json)["secondsSince"] is NSNull)
    try HeapProfiler.start(samplingEvery: 1)
    let sampled = try parse(try Census.current().json)
    XCTAssertEqual(sampled["exact"] as? Bool, false)
    XCTAssertNotNil((sampled["total"] as? [String: Any])?["objectsError"])
  }

  /// Sizes stand in the group of their size class.
  func testGroupsOfSizes() {
    for (size, group) in [
      (0, 16), (1, 16), (16, 16), (17, 32), (255, 256), (256, 256), (257, 288), (289, 320), (512, 512), (513, 576),
      (4_097, 4_608), (65_535, 65_536), (65_536, 65_536), (65_537, 131_072), (131_073, 262_144),
    ] {
      XCTAssertEqual(CensusCounter.group(ofSize: size), group, "\(size)")
    }
  }

  func testMarkedCensuses() throws {
    XCTAssertEqual(try CensusHistory.mark(), "0 none")
    try HeapProfiler.start(samplingEvery: 4_096)
    let words = try CensusHistory.mark().split(separator: " ")
    XCTAssertEqual(words.last, "estimate")
    let number = try XCTUnwrap(Int(words[0]))
    XCTAssertNotNil(try CensusHistory.since(number).totalChange)
    _ = try CensusHistory.next()
    XCTAssertNotNil(try CensusHistory.next().totalChange)
    // Samples of two profiles have nothing in common.
    let old = try Census.current()
    HeapProfiler.stop()
    try HeapProfiler.start(samplingEvery: 4_096)
    XCTAssertThrowsError(try CensusHistory.since(number)) {
      XCTAssertEqual("\($0)", "the heap profile whose samples are counted is another one by now")
    }
    XCTAssertNil(try CensusHistory.next().totalChange)
    XCTAssertEqual(try Census.current().since(old).notes.count, 1)
    for _ in 0..<4 { _ = try CensusHistory.mark() }
    XCTAssertThrowsError(try CensusHistory.since(number)) {
      XCTAssertTrue("\($0)".hasPrefix("the census to compare with is forgotten"), "\($0)")
    }
  }
}

private final class CountedObject { var (a, b) = (1, 2) }

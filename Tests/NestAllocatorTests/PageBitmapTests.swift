// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import KitSupport
import NestAllocator
import TestEffort
import XCTest

/// The bits of a chunk's pages against an array of Booleans.
final class PageBitmapTests: XCTestCase {
  private let words = UnsafeMutablePointer<UInt64>.allocate(capacity: 16)
  private var bitmap: PageBitmap { PageBitmap(words) }

  override func setUp() { words.initialize(repeating: 0, count: 16) }
  override func tearDown() { words.deallocate() }

  /// The runs of set bits: first bit and length.
  static func runs(_ bits: [Bool]) -> [(first: Int, count: Int)] {
    var runs: [(first: Int, count: Int)] = []
    for (index, isSet) in bits.enumerated() where isSet {
      if let last = runs.last, last.first + last.count == index {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((index, 1))
      }
    }
    return runs
  }

  func testAgainstAnArray() {
    var random = SplitMix64(seed: 17)
    var bits = [Bool](repeating: false, count: 1024)
    for round in 0..<TestEffort.count(3000, quick: 400) {
      let first = Int.random(in: 0..<1024, using: &random)
      // Short changes and long ones, so that there are runs of all lengths.
      let count = min(Int.random(in: 1...(round % 7 == 0 ? 400 : 12), using: &random), 1024 - first)
      let isSet = Bool.random(using: &random)
      if isSet { bitmap.set(from: first, count: count) } else { bitmap.clear(from: first, count: count) }
      for index in first..<first + count { bits[index] = isSet }
      XCTAssertEqual(bitmap.count(from: 0, count: 1024), bits.filter { $0 }.count)
      let runs = Self.runs(bits)
      XCTAssertEqual(bitmap.longestRun, runs.map(\.count).max() ?? 0)
      let bit = Int.random(in: 0..<1024, using: &random)
      XCTAssertEqual(bitmap.contains(bit), bits[bit])
      XCTAssertEqual(bitmap.next(from: bit, value: true), bits[bit...].firstIndex(of: true) ?? 1024)
      XCTAssertEqual(bitmap.next(from: bit, value: false), bits[bit...].firstIndex(of: false) ?? 1024)
      if let run = runs.first(where: { $0.first <= bit && bit < $0.first + $0.count }) {
        XCTAssertEqual(bitmap.startOfRun(bit), run.first)
        XCTAssertTrue(bitmap.contains(from: bit, count: run.first + run.count - bit))
        XCTAssertFalse(bitmap.contains(from: bit, count: run.first + run.count - bit + 1))
      }
    }
  }

  func testFindRunTakesTheShortest() {
    var random = SplitMix64(seed: 18)
    for _ in 0..<300 {
      bitmap.clear(from: 0, count: 1024)
      var bits = [Bool](repeating: false, count: 1024)
      for _ in 0..<20 {
        let first = Int.random(in: 0..<1000, using: &random)
        let count = min(Int.random(in: 1...80, using: &random), 1024 - first)
        bitmap.set(from: first, count: count)
        for index in first..<first + count { bits[index] = true }
      }
      let count = Int.random(in: 1...60, using: &random)
      let align = 1 << Int.random(in: 0...5, using: &random)
      let fitting = Self.runs(bits).filter { ($0.first + align - 1) & -align + count <= $0.first + $0.count }
      let found = bitmap.findRun(count: count, align: align)
      XCTAssertEqual(found == nil, fitting.isEmpty)
      guard let found else { continue }
      XCTAssertEqual(found % align, 0)
      XCTAssertTrue(bitmap.contains(from: found, count: count))
      let length = bitmap.next(from: found, value: false) - bitmap.startOfRun(found)
      XCTAssertEqual(length, fitting.map(\.count).min())
    }
  }
}

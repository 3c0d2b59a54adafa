// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// How much chance there is in where hardened Nest's blocks are: `Tests/Fixtures/Entropy`, run many times.
///
/// Of n runs, n(n − 1)/2 pairs are compared; with b bits of entropy (Rényi's, of the second order), one pair in 2ᵇ is the same. 3,000 runs tell
/// up to 20 bits; by default there are fewer, and what is asked for is less than what is there.
final class EntropyTests: XCTestCase {
  func testAddressesOfHardenedNest() throws {
    let program = try CProgram("Entropy/addresses.c")
    let library = try PreloadLibrary.nestHardened.path(.release)
    let count = TestEffort.count(3000, quick: 250)
    var (first, next): ([Int: [String: Int]], [Int: [String: Int]]) = ([:], [:])
    for run in try CommandResult.run(
      all: Array(repeating: [program.path], count: count), environment: ["LD_PRELOAD": library])
    {
      for line in run.lines {
        let words = line.split(separator: " ").map(String.init)
        let size = try XCTUnwrap(Int(words[0]))
        first[size, default: [:]][words[1], default: 0] += 1
        next[size, default: [:]][words[2], default: 0] += 1
      }
    }
    print("bytes    bits of the first block    of the distance to the second")
    for size in first.keys.sorted() {
      let (firstBits, nextBits) = (bits(first[size, default: [:]], count), bits(next[size, default: [:]], count))
      print("\(size)    \(text(firstBits, count))    \(text(nextBits, count))")
      XCTAssertGreaterThan(firstBits, TestEffort.isFull ? 16 : 11, "\(size)")
      XCTAssertGreaterThan(nextBits, 3.5, "\(size)")
    }
    XCTAssertEqual(first.count, 15)
  }

  private func bits(_ counts: [String: Int], _ runs: Int) -> Double {
    let same = counts.values.reduce(0) { $0 + $1 * ($1 - 1) }
    return log2(Double(runs * (runs - 1)) / Double(max(same, 1)))
  }

  private func text(_ bits: Double, _ runs: Int) -> String {
    let most = log2(Double(runs * (runs - 1)))
    return bits >= most ? "more than \(Int(most) - 1)" : String(format: "%.1f", bits)
  }
}

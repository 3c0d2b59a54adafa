// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import KitSupport
import NestAllocator
import XCTest

/// The index of free runs, over chunks of this test's memory.
final class FreeRunIndexTests: XCTestCase {
  private var chunks: [Chunk] = []
  private var storage = UnsafeMutableRawPointer.allocate(byteCount: FreeRunIndex.byteCount, alignment: 8)

  override func setUp() {
    storage.initializeMemory(as: UInt8.self, repeating: 0, count: FreeRunIndex.byteCount)
    for _ in 0..<12 {
      // Only the pages of the header are ever touched.
      let base = aligned_alloc(Chunk.size, Chunk.size).unsafelyUnwrapped
      memset(base, 0, 64 << 10)
      let chunk = Chunk(base: base)
      chunk.initialize(mappedCount: Chunk.pageCount)
      chunks.append(chunk)
    }
  }

  override func tearDown() {
    chunks.forEach { free($0.base) }
    storage.deallocate()
  }

  func testBins() {
    for count in 1...Chunk.pageCount {
      let bin = FreeRunIndex.bin(count)
      XCTAssertLessThan(bin, FreeRunIndex.binCount)
      XCTAssertLessThanOrEqual(FreeRunIndex.leastCount(bin), count)
      if count > 1 { XCTAssertGreaterThanOrEqual(bin, FreeRunIndex.bin(count - 1)) }
      if bin + 1 < FreeRunIndex.binCount { XCTAssertGreaterThan(FreeRunIndex.leastCount(bin + 1), count) }
    }
  }

  /// A chunk is found when there is one, and what is found suffices.
  func testFindsWhatThereIs() {
    let index = FreeRunIndex(storage, ofDirtyPages: false)
    chunks.forEach { index.insert($0) }
    var random = SplitMix64(seed: 19)
    var used: [(chunk: Chunk, first: Int, count: Int)] = []
    for round in 0..<6000 {
      let count = round % 5 == 0 ? Int.random(in: 1...300, using: &random) : Int.random(in: 1...9, using: &random)
      if Int.random(in: 0..<5, using: &random) > (round / 1500) % 3, let longest = chunks.map(\.free.longestRun).max() {
        let found = index.find(count)
        XCTAssertEqual(found == nil, longest < count)
        guard let found, let first = found.free.findRun(count: count, align: 1) else { continue }
        _ = found.setUsed(first, count)
        index.noteRemoved(found, first, count)
        used.append((found, first, count))
      } else if !used.isEmpty {
        let run = used.remove(at: Int.random(in: used.indices, using: &random))
        run.chunk.setFree(run.first, run.count, dirty: false)
        index.noteAdded(run.chunk, page: run.first)
      }
      if round % 50 == 0 { XCTAssertEqual(index.checkInvariants(), chunks.filter { $0.free.longestRun > 0 }.count) }
    }
    chunks.forEach { index.remove($0) }
    XCTAssertNil(index.find(1))
    XCTAssertEqual(index.checkInvariants(), 0)
  }

  /// The shortest run that suffices is taken, so that long ones stay whole.
  func testTakesTheShortest() {
    let index = FreeRunIndex(storage, ofDirtyPages: false)
    // Chunk n has a longest run of 20 × n pages.
    for (number, chunk) in chunks.enumerated() {
      let free = 20 * (number + 1)
      _ = chunk.setUsed(Chunk.firstPage + free, Chunk.pageCount - Chunk.firstPage - free)
      index.insert(chunk)
    }
    for (number, chunk) in chunks.enumerated() { XCTAssertEqual(index.find(20 * (number + 1))?.base, chunk.base) }
    XCTAssertEqual(index.longest?.base, chunks.last?.base)
    XCTAssertNil(index.find(20 * chunks.count + 1))
  }
}

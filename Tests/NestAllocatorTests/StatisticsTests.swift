// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import KitSupport
import NestAllocator
import XCTest

/// What Nest tells of itself, against counts kept here.
final class StatisticsTests: XCTestCase {
  /// Blocks of all kinds, by several threads, some released by others, some at hand, some on their way home.
  func testLiveBytesAndBlocksAreExact() throws {
    let before = NestAllocator.statistics
    var kept: [UnsafeMutableRawPointer] = []
    for round in 1...4 {
      let results = (0..<6).map { index in
        // Each thread leaves a tenth of its blocks behind, and releases some of the last round's.
        let inherited = kept.enumerated().filter { $0.offset % 6 == index && $0.offset % 2 == 0 }.map(\.element)
        let blocks = Locked<[UnsafeMutableRawPointer]>([])
        let mine = SendablePointers(inherited)
        return (
          blocks,
          JoinedThread {
            var random = SplitMix64(seed: UInt64(round * 10 + index))
            var own: [UnsafeMutableRawPointer] = []
            for _ in 0..<3_000 {
              own.append(NestAllocator.allocate(size: random.smallSize(), align: 16)!)
            }
            mine.all.forEach { NestAllocator.deallocate($0) }
            for (offset, block) in own.enumerated() where offset % 10 != 0 { NestAllocator.deallocate(block) }
            blocks.withLock { $0 = own.enumerated().filter { $0.offset % 10 == 0 }.map(\.element) }
          }
        )
      }
      let released = Set(kept.enumerated().filter { $0.offset % 2 == 0 }.map(\.element))
      kept.removeAll { released.contains($0) }
      for (blocks, thread) in results {
        thread.join()
        kept += blocks.withLock { $0 }
      }
      let now = NestAllocator.statistics
      let bytes = kept.reduce(0) { $0 + NestAllocator.usableSize(of: $1) }
      XCTAssertEqual(try XCTUnwrap(now.liveBytes) - XCTUnwrap(before.liveBytes), bytes, "round \(round)")
      XCTAssertEqual(try XCTUnwrap(now.liveBlocks) - XCTUnwrap(before.liveBlocks), kept.count, "round \(round)")
      try checkOrder(now)
    }
    kept.forEach { NestAllocator.deallocate($0) }
    let after = NestAllocator.statistics
    XCTAssertEqual(after.liveBytes, before.liveBytes)
    XCTAssertEqual(after.liveBlocks, before.liveBlocks)
  }

  /// What threads that live on have at hand is free.
  func testBlocksAtHandAreFree() throws {
    let (isDone, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let before = NestAllocator.statistics
    let threads = (0..<4).map { _ in
      JoinedThread {
        for size in [32, 100, 500, 3_000] {
          let blocks = (0..<500).map { _ in NestAllocator.allocate(size: size, align: 16)! }
          blocks.forEach { NestAllocator.deallocate($0) }
        }
        isDone.signal()
        mayEnd.wait()
      }
    }
    for _ in threads { isDone.wait() }
    let now = NestAllocator.statistics
    XCTAssertEqual(now.liveBytes, before.liveBytes)
    XCTAssertEqual(now.liveBlocks, before.liveBlocks)
    XCTAssertGreaterThan(try XCTUnwrap(now.freeBytes), 4 * 10_000, "there was something at hand")
    for _ in threads { mayEnd.signal() }
    threads.forEach { $0.join() }
  }

  func testSizeClassesAddUp() throws {
    let before = NestAllocator.sizeClasses
    let blocks = (0..<100).map { _ in NestAllocator.allocate(size: 100, align: 16)! }
    let after = NestAllocator.sizeClasses
    for (old, new) in zip(before, after) {
      XCTAssertEqual(old.blockSize, new.blockSize)
      let more = try XCTUnwrap(new.liveBlocks) - XCTUnwrap(old.liveBlocks)
      XCTAssertEqual(more, new.blockSize == 112 ? 100 : 0, "\(new.blockSize)")
      XCTAssertLessThanOrEqual(
        try (XCTUnwrap(new.liveBlocks) + XCTUnwrap(new.freeBlocks)) * new.blockSize, try XCTUnwrap(new.spanBytes))
    }
    XCTAssertEqual(after.map(\.blockSize), after.map(\.blockSize).sorted())
    blocks.forEach { NestAllocator.deallocate($0) }
  }

  /// What is said to be releasable is what a release gives back.
  func testReleasableBytesGoBack() throws {
    let blocks = (0..<64).map { _ in NestAllocator.allocate(size: 256 << 10, align: 16)! }
    for block in blocks { memset(block, 1, 256 << 10) }
    blocks.forEach { NestAllocator.deallocate($0) }
    let before = NestAllocator.statistics
    XCTAssertGreaterThan(try XCTUnwrap(before.releasableBytes), 8 << 20)
    NestAllocator.releaseFreeMemory()
    let after = NestAllocator.statistics
    XCTAssertLessThan(try XCTUnwrap(after.releasableBytes), 1 << 20)
    XCTAssertEqual(after.liveBytes, before.liveBytes)
  }

  private func checkOrder(_ statistics: AllocatorStatistics) throws {
    let (live, active) = (try XCTUnwrap(statistics.liveBytes), try XCTUnwrap(statistics.activeBytes))
    let (resident, mapped) = (try XCTUnwrap(statistics.residentBytes), try XCTUnwrap(statistics.mappedBytes))
    XCTAssertLessThanOrEqual(live, active)
    XCTAssertLessThanOrEqual(active, resident)
    XCTAssertLessThanOrEqual(resident, mapped)
    XCTAssertLessThanOrEqual(try XCTUnwrap(statistics.releasableBytes), try XCTUnwrap(statistics.freeBytes))
    XCTAssertNil(statistics.allocations, "Nest counts no calls")
  }
}

private struct SendablePointers: @unchecked Sendable {
  let all: [UnsafeMutableRawPointer]

  init(_ all: [UnsafeMutableRawPointer]) { self.all = all }
}

extension SplitMix64 {
  /// Mostly small; a few spans of their own, and mappings.
  fileprivate mutating func smallSize() -> Int {
    switch next() % 200 {
    case 0: Int(next() % (3 << 20))
    case 1...4: Int(next() % (200 << 10))
    case 5...40: Int(next() % 4096)
    default: Int(next() % 300)
    }
  }
}

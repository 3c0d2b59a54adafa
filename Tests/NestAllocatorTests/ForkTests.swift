// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import KitSupport
import NestAllocator
import Synchronization
import TestEffort
import XCTest

/// A process forks while its other threads are amid allocations: both it and the child go on at once.
final class ForkTests: XCTestCase {
  func testForkWithBusyThreads() {
    let stop = Atomic(false)
    let exchange = StressTests.Exchange(count: 100)
    let busy = (0..<3).map { index in
      JoinedThread {
        var seed = UInt64(index)
        while !stop.load(ordering: .relaxed) {
          StressTests.work(exchange, seed: seed, operations: 50)
          seed += 3
        }
      }
    }
    for _ in 0..<TestEffort.count(60, quick: 5) {
      let (status, text) = MisuseTests.report {
        for size in [10, 100, 10_000, 100_000, 500_000, 5_000_000] {
          guard let block = NestAllocator.allocate(size: size, align: 16) else { _exit(2) }
          memset(block, 1, size)
          NestAllocator.deallocate(block)
        }
      }
      XCTAssertEqual(status, 0, text)
    }
    stop.store(true, ordering: .relaxed)
    busy.forEach { $0.join() }
    exchange.releaseAll()
  }

  /// A child whose parent's other threads held locks mends what those guard: all invariants hold, and what was live is whole.
  func testChildMends() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer holds threads up at fork")
    let stop = Atomic(false)
    let busy = (0..<3).map { index in
      JoinedThread {
        var random = SplitMix64(seed: UInt64(index + 1))
        while !stop.load(ordering: .relaxed) {
          // Runs of pages and huge blocks, so that the locks are held much of the time.
          let blocks = (0..<6).compactMap { _ in
            NestAllocator.allocate(size: Int.random(in: 70_000...1_300_000, using: &random), align: 16)
          }
          blocks.forEach { NestAllocator.deallocate($0) }
        }
      }
    }
    Self.kept = (0..<200).compactMap { PatternedBlock(size: 1 + $0 * 3000) }
    defer { Self.kept = [] }
    var mended = 0
    let wanted = TestEffort.count(25, quick: 2)
    for _ in 0..<3000 where mended < wanted {
      let (status, text) = MisuseTests.report {
        // The first lock that it takes has it mend.
        NestAllocator.checkInvariants()
        for block in ForkTests.kept { block.release() }
        StressTests.work(StressTests.Exchange(count: 30), seed: 3, operations: 200)
        NestAllocator.checkInvariants()
        exit(NestAllocator.mendedLockCount > 0 ? 7 : 0)
      }
      XCTAssert(status == 0 || status == 7, "\(status): \(text)")
      if status == 7 { mended += 1 }
    }
    stop.store(true, ordering: .relaxed)
    busy.forEach { $0.join() }
    Self.kept.forEach { $0.release() }
    XCTAssertEqual(mended, wanted, "no child had anything to mend")
  }

  nonisolated(unsafe) static var kept: [PatternedBlock] = []

  /// The handler's fork must not wait for a lock that the interrupted code holds.
  func testForkInASignalHandler() {
    let (status, text) = MisuseTests.report {
      fork_in_signal_handlers(
        {
          // Large blocks, each of which takes a lock.
          withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: 40) { blocks in
            for index in 0..<40 {
              blocks[index] = NestAllocator.allocate(size: 100_000 + index * 40_000, align: 16).unsafelyUnwrapped
            }
            for block in blocks { NestAllocator.deallocate(block) }
          }
        }, Int32(TestEffort.count(100, quick: 30)))
    }
    XCTAssertEqual(status, 0, text)
  }
}

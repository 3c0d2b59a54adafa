// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import NestAllocator
import Synchronization
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
    for _ in 0..<60 {
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
        }, 100)
    }
    XCTAssertEqual(status, 0, text)
  }
}

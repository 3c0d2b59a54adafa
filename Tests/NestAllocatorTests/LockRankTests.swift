// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#if DEBUG
  import CNestTestSupport
  import Glibc
  import NestAllocator
  import TestEffort
  import XCTest

  /// The order in which threads take locks, in processes of their own: once it is checked, it is.
  final class LockRankTests: XCTestCase {
    func testLocksAreTakenInOrder() throws {
      try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
      let (status, text) = MisuseTests.report {
        NestAllocator.checkLockRanks()
        NestAllocator.allowHelper()
        let exchange = StressTests.Exchange(count: 200)
        StressTests.onThreads(4) { thread in
          StressTests.work(
            exchange, seed: UInt64(thread), operations: TestEffort.count(8_000, quick: 2_000), largestAlign: 8 << 20)
          NestAllocator.releaseFreeMemory()
          _ = NestAllocator.statistics
          _ = NestAllocator.readSizeClasses(
            into: .allocate(capacity: 100), capacity: 100)
        }
        exchange.releaseAll()
        NestAllocator.checkInvariants()
        exit(0)
      }
      XCTAssertEqual(status, 0, text)
    }

    func testWrongOrderIsNoticed() throws {
      try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer does not let the process end by a trap")
      let (status, text) = MisuseTests.report {
        NestAllocator.takeLocksOutOfOrder()
        NestAllocator.checkLockRanks()
        NestAllocator.takeLocksOutOfOrder()
        exit(0)
      }
      XCTAssertTrue([-SIGTRAP, -SIGILL].contains(status), "\(status) \(text)")
    }
  }
#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import CNestTestSupport
import NestAllocator
import Synchronization
import TestEffort
import XCTest

/// Every mapping may fail: the answer is nil, nothing is lost, and it works again afterwards.
final class OutOfMemoryTests: XCTestCase {
  static let sizes = [1, 1000, 100_000, 500_000, 2_500_000]

  static func exercise() {
    var blocks: [PatternedBlock] = []
    for size in sizes {
      for align in [16, 1 << 20, 8 << 20] {
        if let block = PatternedBlock(size: size, align: align) { blocks.append(block) }
        if let block = PatternedBlock(size: size, align: align, zeroed: true) { blocks.append(block) }
      }
    }
    for index in blocks.indices { blocks[index].resize(to: blocks[index].size * 2) }
    for index in blocks.indices { blocks[index].resize(to: blocks[index].size / 5) }
    for block in blocks { block.release() }
  }

  func testEachMappingFailsOnce() {
    // Up to the first number that is never reached.
    for nth in stride(from: 0, to: 1000, by: TestEffort.count(1, quick: 5)) {
      NestAllocator.releaseFreeMemory()
      nest_fail_calls(UInt32(NEST_MAP | NEST_REMAP | NEST_MOVE), nth, 1)
      Self.exercise()
      let failed = nest_failed_calls()
      nest_fail_calls(0, 0, 0)
      NestAllocator.checkInvariants()
      if failed == 0 {
        XCTAssertGreaterThan(nth, 10, "hardly anything was mapped")
        return
      }
    }
    XCTFail("there is no end of mappings")
  }

  func testAllMappingsFailFromSomewhereOn() {
    for nth in stride(from: 0, to: 30, by: TestEffort.count(1, quick: 3)) {
      NestAllocator.releaseFreeMemory()
      nest_fail_calls(UInt32(NEST_MAP | NEST_REMAP | NEST_MOVE), nth, .max)
      Self.exercise()
      nest_fail_calls(0, 0, 0)
    }
    NestAllocator.checkInvariants()
    XCTAssertNotNil(PatternedBlock(size: 30_000_000)?.release())
  }

  func testFailureIsReported() {
    NestAllocator.releaseFreeMemory()
    nest_fail_calls(UInt32(NEST_MAP | NEST_REMAP | NEST_MOVE), 0, .max)
    defer { nest_fail_calls(0, 0, 0) }
    errno = 0
    XCTAssertNil(NestAllocator.allocate(size: 40_000_000, align: 16))
    XCTAssertEqual(errno, ENOMEM)
  }

  func testFirstCallOfAThread() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
    // In a process with nothing free: a new thread's first call needs a page for its heap and one for its blocks.
    let (status, text) = MisuseTests.report {
      var pages: [UnsafeMutableRawPointer] = []
      pages.reserveCapacity(1 << 20)
      NestAllocator.releaseFreeMemory()
      nest_fail_calls(UInt32(NEST_MAP), 0, .max)
      while let page = NestAllocator.allocate(size: 65_536, align: 16) { pages.append(page) }
      while let page = NestAllocator.allocate(size: 4096, align: 16) { pages.append(page) }
      while let block = NestAllocator.allocate(size: 16, align: 16) { pages.append(block) }
      let refused = Atomic(0)
      let thread = JoinedThread {
        if NestAllocator.allocate(size: 100, align: 16) == nil && errno == ENOMEM { refused.add(1, ordering: .relaxed) }
        nest_fail_calls(0, 0, 0)
        PatternedBlock(size: 100).unsafelyUnwrapped.release()
      }
      thread.join()
      if refused.load(ordering: .relaxed) != 1 { exit(2) }
      pages.forEach { NestAllocator.deallocate($0) }
      NestAllocator.checkInvariants()
    }
    XCTAssertEqual(status, 0, "(2: it was not refused) \(text)")
  }

  func testLimitedAddressSpace() {
    let (status, text) = MisuseTests.report {
      var limit = rlimit(rlim_cur: 0, rlim_max: 0)
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0"
      let pages = UInt(statm.split(separator: " ")[0]) ?? 0
      limit.rlim_cur = pages * 4096 + 64 << 20
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      // Of small blocks there may be more than is patient.
      let most = TestEffort.count(1 << 18, quick: 1 << 16)
      for size in OutOfMemoryTests.sizes {
        for _ in 0..<2 {
          // All there is, until it is exhausted; then none of it.
          var blocks: [UnsafeMutableRawPointer] = []
          blocks.reserveCapacity(1 << 20)
          while blocks.count < most, let block = NestAllocator.allocate(size: size, align: 16) {
            blocks.append(block)
          }
          if blocks.count < most && errno != ENOMEM { exit(3) }
          if size > 1000 && blocks.count * size < 8 << 20 { exit(4) }
          for block in blocks { NestAllocator.deallocate(block) }
          NestAllocator.releaseFreeMemory()
        }
      }
    }
    XCTAssertEqual(status, 0, text)
  }
}

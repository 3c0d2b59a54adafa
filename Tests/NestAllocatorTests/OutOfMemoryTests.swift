// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import CNestTestSupport
import NestAllocator
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
    for nth in 0..<50 {
      NestAllocator.releaseFreeMemory()
      nest_fail_mappings(nth, 1)
      Self.exercise()
    }
    nest_fail_mappings(-1, 0)
    NestAllocator.checkInvariants()
  }

  func testAllMappingsFailFromSomewhereOn() {
    for nth in 0..<30 {
      NestAllocator.releaseFreeMemory()
      nest_fail_mappings(nth, .max)
      Self.exercise()
      nest_fail_mappings(-1, 0)
    }
    NestAllocator.checkInvariants()
    XCTAssertNotNil(PatternedBlock(size: 30_000_000)?.release())
  }

  func testFailureIsReported() {
    NestAllocator.releaseFreeMemory()
    nest_fail_mappings(0, .max)
    defer { nest_fail_mappings(-1, 0) }
    errno = 0
    XCTAssertNil(NestAllocator.allocate(size: 40_000_000, align: 16))
    XCTAssertEqual(errno, ENOMEM)
  }

  func testFirstCallOfAThread() {
    StressTests.onThreads(8) { _ in
      nest_fail_mappings(0, 1)
      _ = PatternedBlock(size: 100).map { $0.release() }
      nest_fail_mappings(-1, 0)
      PatternedBlock(size: 100).unsafelyUnwrapped.release()
    }
  }

  func testLimitedAddressSpace() {
    let (status, text) = MisuseTests.report {
      var limit = rlimit(rlim_cur: 0, rlim_max: 0)
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0"
      let pages = UInt(statm.split(separator: " ")[0]) ?? 0
      limit.rlim_cur = pages * 4096 + 64 << 20
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      for size in OutOfMemoryTests.sizes {
        for _ in 0..<2 {
          // All there is, until it is exhausted; then none of it.
          var blocks: [UnsafeMutableRawPointer] = []
          blocks.reserveCapacity(1 << 20)
          while blocks.count < 1 << 18, let block = NestAllocator.allocate(size: size, align: 16) {
            blocks.append(block)
          }
          if blocks.count < 1 << 18 && errno != ENOMEM { exit(3) }
          if size > 1000 && blocks.count * size < 8 << 20 { exit(4) }
          for block in blocks { NestAllocator.deallocate(block) }
          NestAllocator.releaseFreeMemory()
        }
      }
    }
    XCTAssertEqual(status, 0, text)
  }
}

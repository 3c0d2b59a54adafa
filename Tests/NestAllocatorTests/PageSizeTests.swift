// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import NestAllocator
import XCTest

/// Pages of 16 and 64 KiB, as arm64 has them: made of those of this system, which takes no smaller range back then.
final class PageSizeTests: XCTestCase {
  func testLargerPages() {
    for body: @convention(c) () -> Void in [
      { PageSizeTests.exercise(pageSize: 16 << 10) }, { PageSizeTests.exercise(pageSize: 64 << 10) },
    ] {
      let (status, text) = MisuseTests.report(body)
      XCTAssertEqual(status, 0, text)
    }
  }

  private static func exercise(pageSize: Int) {
    NestAllocator.releaseFreeMemory()
    nest_set_page_size(pageSize)
    for round in 0..<3 {
      let exchange = StressTests.Exchange(count: 200)
      // The system aligns what it maps to its own pages.
      StressTests.work(exchange, seed: UInt64(round), operations: 3000, largestAlign: 4096)
      exchange.releaseAll()
      // 8 MB that have not been free for long enough to go back by themselves.
      let large = (0..<40).compactMap { _ in PatternedBlock(size: 200_000) }
      large.forEach { $0.release() }
      let before = NestAllocator.dirtyByteCount
      NestAllocator.releaseFreeMemory()
      // What is left shares a page with what is in use.
      if NestAllocator.dirtyByteCount > before / 2 { exit(2) }
      // Blocks that come from what was given back, and are taken for zeros.
      let zeroed = [100_000, 300_000, 1_000_000, 3_000_000].compactMap { PatternedBlock(size: $0, zeroed: true) }
      if zeroed.count != 4 { exit(3) }
      for block in zeroed {
        if block.size > 1 << 20 && UInt(bitPattern: block.pointer) & 4095 != 0 { exit(4) }
        block.release()
      }
      NestAllocator.checkInvariants()
    }
  }
}

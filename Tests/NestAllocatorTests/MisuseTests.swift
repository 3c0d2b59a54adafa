// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import NestAllocator
import XCTest

/// What breaks the rules of malloc ends the process, with a message that names the pointer.
final class MisuseTests: XCTestCase {
  static func report(_ body: @convention(c) () -> Void) -> (status: Int32, text: String) {
    var text = [CChar](repeating: 0, count: 1000)
    let status = run_in_child(body, &text, text.count, 20)
    return (status, String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  private func skipUnderThreadSanitizer() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
  }

  func assertDies(_ cause: String, _ body: @convention(c) () -> Void, line: UInt = #line) {
    let (status, text) = Self.report(body)
    XCTAssertEqual(status, -SIGABRT, text, line: line)
    XCTAssert(text.hasPrefix("nest: \(cause)"), text, line: line)
    XCTAssertNotNil(text.range(of: ": 0x[0-9a-f]+\n$", options: .regularExpression), text, line: line)
  }

  static func block(_ size: Int) -> UnsafeMutableRawPointer {
    NestAllocator.allocate(size: size, align: 16).unsafelyUnwrapped
  }

  func testAChildThatDoesNothingWrongReturns() {
    XCTAssertEqual(Self.report { NestAllocator.deallocate(MisuseTests.block(100)) }.status, 0)
  }

  func testBlockReleasedTwiceInARow() {
    for body: @convention(c) () -> Void in [
      {
        let block = MisuseTests.block(16)
        NestAllocator.deallocate(block)
        NestAllocator.deallocate(block)
      },
      {
        let block = MisuseTests.block(5000)
        NestAllocator.deallocate(block)
        NestAllocator.deallocate(block)
      },
    ] {
      assertDies("free of a block that is free already", body)
    }
  }

  func testBlockReleasedTwiceWithOthersInBetween() {
    assertDies("free of a block that is free already") {
      let blocks = (0..<50).map { _ in MisuseTests.block(100) }
      blocks.forEach { NestAllocator.deallocate($0) }
      NestAllocator.deallocate(blocks[20])
    }
  }

  func testLargeBlockReleasedTwice() {
    assertDies("free of a block that is free already") {
      let block = MisuseTests.block(500_000)
      NestAllocator.deallocate(block)
      NestAllocator.deallocate(block)
    }
  }

  func testMappedBlockReleasedTwice() {
    assertDies("free of a pointer that is no block") {
      let block = MisuseTests.block(5_000_000)
      NestAllocator.deallocate(block)
      NestAllocator.deallocate(block)
    }
  }

  func testBlockOfAnotherThreadReleasedTwice() throws {
    try skipUnderThreadSanitizer()
    assertDies("free of a block that is free already") {
      let block = UInt(bitPattern: MisuseTests.block(100))
      StressTests.onThreads(1) { _ in
        NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: block).unsafelyUnwrapped)
        NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: block).unsafelyUnwrapped)
      }
      // The owner finds it when it takes its blocks home.
      NestAllocator.releaseFreeMemory()
    }
  }

  func testBlockReleasedByTwoThreads() throws {
    try skipUnderThreadSanitizer()
    assertDies("free of a block that is free already") {
      let block = UInt(bitPattern: MisuseTests.block(100))
      for _ in 0..<2 {
        StressTests.onThreads(1) { _ in
          NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: block).unsafelyUnwrapped)
          NestAllocator.releaseFreeMemory()
        }
      }
      NestAllocator.releaseFreeMemory()
    }
  }

  func testForeignPointers() {
    for body: @convention(c) () -> Void in [
      {
        var local = 0
        withUnsafeMutablePointer(to: &local) { NestAllocator.deallocate($0) }
      },
      { NestAllocator.deallocate(malloc(100)) },
      { NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: 0x1000).unsafelyUnwrapped) },
      { NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: UInt.max - 15).unsafelyUnwrapped) },
      {
        // The head of the chunk in which the block is.
        let chunk = UInt(bitPattern: MisuseTests.block(100)) & ~((4 << 20) - 1)
        NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: chunk + 64).unsafelyUnwrapped)
      },
    ] {
      assertDies("free of a pointer that is no block", body)
    }
  }

  func testPointersIntoBlocks() {
    for body: @convention(c) () -> Void in [
      { NestAllocator.deallocate(MisuseTests.block(100) + 1) },
      { NestAllocator.deallocate(MisuseTests.block(100) + 16) },
      { NestAllocator.deallocate(MisuseTests.block(20_000) + 16384) },
      { NestAllocator.deallocate(MisuseTests.block(500_000) + 16384) },
    ] {
      assertDies("free of a pointer into the middle of a block", body)
    }
  }

  func testWriteAfterRelease() {
    assertDies("a free block has been written to") {
      let block = MisuseTests.block(100)
      NestAllocator.deallocate(block)
      block.storeBytes(of: 0x41, as: UInt8.self)
      _ = MisuseTests.block(100)
    }
  }

  func testMeasuringWhatIsNoBlock() {
    assertDies("malloc_usable_size of a pointer that is no block") {
      _ = NestAllocator.usableSize(of: UnsafeMutableRawPointer(bitPattern: 0x1000).unsafelyUnwrapped)
    }
  }

  /// What looks like a free block by accident is none: the words of a free block, copied into a live one.
  func testLiveBlockThatLooksFreeIsReleased() {
    let (status, text) = Self.report {
      let (free, live) = (MisuseTests.block(64), MisuseTests.block(64))
      NestAllocator.deallocate(free)
      live.copyMemory(from: free, byteCount: 16)
      NestAllocator.deallocate(live)
    }
    XCTAssertEqual(status, 0, text)
  }
}

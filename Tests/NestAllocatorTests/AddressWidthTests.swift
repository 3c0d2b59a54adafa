// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import CNestTestSupport
import NestAllocator
import XCTest

/// Addresses of other widths than this system's, made believe.
final class AddressWidthTests: XCTestCase {
  /// A system that hands out what cannot be told apart: refused, and given back.
  func testMemoryBeyondTheRangeIsRefused() {
    let (status, text) = MisuseTests.report {
      let block = PatternedBlock(size: 100).unsafelyUnwrapped
      let before = KernelRefusalTests.addressSpace
      // The system maps near 2⁴⁷.
      nest_set_address_bits(40)
      for _ in 0..<50 {
        if NestAllocator.allocate(size: 5_000_000, align: 16) != nil { exit(2) }
        if NestAllocator.allocate(size: 5_000_000, align: 8 << 20) != nil { exit(3) }
      }
      if errno != ENOMEM { exit(4) }
      if KernelRefusalTests.addressSpace > before + 1024 { exit(5) }
      nest_set_address_bits(UInt32(NEST_ADDRESS_BITS))
      block.release()
      PatternedBlock(size: 5_000_000).unsafelyUnwrapped.release()
      NestAllocator.checkInvariants()
    }
    XCTAssertEqual(status, 0, text)
  }

  /// A block that would be moved to where it cannot be told stays where it is.
  func testRemappingBeyondTheRangeIsUndone() {
    let (status, text) = MisuseTests.report {
      var blocks = (0..<4).map { _ in PatternedBlock(size: 3_000_000).unsafelyUnwrapped }
      nest_set_address_bits(40)
      for index in blocks.indices { blocks[index].resize(to: 40_000_000) }
      nest_set_address_bits(UInt32(NEST_ADDRESS_BITS))
      for block in blocks { block.release() }
      NestAllocator.checkInvariants()
    }
    XCTAssertEqual(status, 0, text)
  }

  /// Of a pointer, every bit counts: one that differs from a block's only above bit 47 is no block's.
  func testPointersThatDifferInHighBits() {
    for (bit, cause) in [(48, "foreign"), (52, "foreign"), (57, "foreign")] {
      Self.bit = UInt(bit)
      for size in [100, 100_000, 3_000_000] {
        Self.size = size
        let (status, text) = MisuseTests.report {
          let block = MisuseTests.block(AddressWidthTests.size)
          let other = UInt(bitPattern: block) | 1 << AddressWidthTests.bit
          NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: other).unsafelyUnwrapped)
        }
        XCTAssertEqual(status, -SIGABRT, "\(cause) \(bit) \(size): \(text)")
        XCTAssert(text.hasPrefix("nest: free of a pointer that is no block of this allocator"), text)
      }
    }
  }

  nonisolated(unsafe) static var bit: UInt = 0
  nonisolated(unsafe) static var size = 0

  /// A pointer into the first 4 MiB, as an offset from null is.
  func testPointersNearNull() {
    let (status, text) = MisuseTests.report {
      MisuseTests.block(100).storeBytes(of: 1, as: Int.self)
      NestAllocator.deallocate(UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped)
    }
    XCTAssertEqual(status, -SIGABRT, text)
    XCTAssert(text.hasPrefix("nest: free of a pointer that is no block of this allocator"), text)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import CNestTestSupport
import KitSupport
import NestAllocator
import TestEffort
import XCTest

/// Each kind of system call fails, once or always, at each place: contents stay whole, and nothing is lost.
final class KernelRefusalTests: XCTestCase {
  static let kinds = [
    "map": NEST_MAP, "unmap": NEST_UNMAP, "purge": NEST_PURGE, "remap": NEST_REMAP, "move": NEST_MOVE,
  ]

  /// Pages of address space.
  static var addressSpace: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return Int(text.split(separator: " ").first ?? "") ?? 0
  }

  /// Blocks of every kind, resized in every way, and written all over, so that pages of released ones are worth moving.
  static func exercise() {
    var random = SplitMix64(seed: 23)
    var blocks: [PatternedBlock] = []
    for round in 0..<40 {
      let size = round % 4 == 0 ? Int.random(in: 1_100_000...6_000_000, using: &random) : random.size()
      if let block = PatternedBlock(size: size, align: round % 9 == 0 ? 4096 : 16, zeroed: round % 5 == 0) {
        blocks.append(block)
      }
      if blocks.count > 12 { blocks.remove(at: Int.random(in: blocks.indices, using: &random)).release() }
      if let index = blocks.indices.randomElement(using: &random) {
        blocks[index].resize(to: max(1, blocks[index].size * Int.random(in: 1...30, using: &random) / 10))
      }
    }
    for block in blocks { block.release() }
    NestAllocator.releaseFreeMemory()
  }

  /// In a process of its own for each kind and number: what one loses would be another's.
  private func assertNothingIsLost(_ name: String, count: Int) {
    Self.call = UInt32(Self.kinds[name].unsafelyUnwrapped)
    Self.count = count
    let (status, text) = MisuseTests.report {
      KernelRefusalTests.exercise()
      let before = KernelRefusalTests.addressSpace
      var failed = 0
      for nth in 0..<TestEffort.count(12, quick: 2) {
        nest_fail_calls(KernelRefusalTests.call, nth, KernelRefusalTests.count)
        KernelRefusalTests.exercise()
        failed += nest_failed_calls()
        nest_fail_calls(0, 0, 0)
        NestAllocator.checkInvariants()
      }
      if failed == 0 { exit(2) }
      // Now that nothing fails, what had to wait goes.
      for _ in 0..<TestEffort.count(5, quick: 1) { KernelRefusalTests.exercise() }
      if KernelRefusalTests.addressSpace - before > 4096 { exit(3) }
      if NestAllocator.unreturnedRangeCount != 0 { exit(4) }
    }
    XCTAssertEqual(
      status, 0,
      "\(name) (2: nothing failed, 3: more than 16 MiB of address space are lost, 4: ranges wait still): \(text)")
  }

  nonisolated(unsafe) static var call: UInt32 = 0
  nonisolated(unsafe) static var count = 0

  func testOneCallFails() {
    let quick = ["map", "remap", "unmap"]
    for name in TestEffort.choice(Self.kinds.keys.sorted(), quick: quick) { assertNothingIsLost(name, count: 1) }
  }

  func testAllCallsFailFromSomewhereOn() {
    for name in TestEffort.choice(Self.kinds.keys.sorted(), quick: ["map", "purge"]) {
      assertNothingIsLost(name, count: .max)
    }
  }

  /// The words in front of a block, where a small one's signature would be, are not left in a larger block: realloc copies
  /// them, and where a copy begins at the old address, it would pass for a free block.
  func testLargeBlocksHoldNoSignature() {
    for size in [70_000, 100_000, 500_000] {
      for round in 0..<50 {
        let small = (0..<200).map { _ in
          NestAllocator.allocate(size: 4096 * (round % 4 + 1), align: 16).unsafelyUnwrapped
        }
        small.forEach { NestAllocator.deallocate($0) }
        NestAllocator.releaseCaches()
        let large = (0..<8).map { _ in NestAllocator.allocate(size: size, align: 16).unsafelyUnwrapped }
        for block in large { XCTAssertEqual(block.load(fromByteOffset: 8, as: UInt.self), 0) }
        large.forEach { NestAllocator.deallocate($0) }
      }
    }
  }

  /// What does not change stays writable where the system does not make it read-only, and can be changed where it does.
  func testReadOnlyState() {
    defer { nest_seal() }
    XCTAssertEqual(nest_is_sealed(), 1)
    nest_fail_calls(UInt32(NEST_SEAL), 0, 1)
    XCTAssertEqual(nest_failed_calls(), 1)
    XCTAssertEqual(nest_is_sealed(), 0)
    nest_set_huge_pages(nest_has_huge_pages())
    nest_fail_calls(0, 0, 0)
    nest_seal()
    XCTAssertEqual(nest_is_sealed(), 1)
    nest_fail_calls(UInt32(NEST_SEAL), 1, 1)
    XCTAssertEqual(nest_is_sealed(), 1)
    // It cannot be changed: nothing is.
    nest_set_huge_pages(1 - nest_has_huge_pages())
    XCTAssertEqual(nest_failed_calls(), 1)
    nest_fail_calls(0, 0, 0)
    XCTAssertEqual(nest_is_sealed(), 1)
  }
}

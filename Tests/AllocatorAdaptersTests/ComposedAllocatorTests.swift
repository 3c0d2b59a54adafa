// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import AllocatorTestKit
import SystemAllocator
import TestEffort
import XCTest

/// Allocators that are made of two others, alone and within each other.
final class ComposedAllocatorTests: XCTestCase {
  private typealias Fallback = FallbackAllocator<RegionAllocator, SystemAllocator>
  private typealias Segregating = SegregatingAllocator<RegionAllocator, SystemAllocator, 100>

  override func setUp() { RegionAllocator.empty() }

  func testLawsOfFallback() {
    if TestEffort.isFull { XCTAssertEqual(AllocatorLaws<Fallback>.violations(limits: .ofTests), []) }
    XCTAssertEqual(
      AllocatorLaws<FallbackAllocator<RegionAllocator, HeaderedAllocator<SystemAllocator>>>.violations(
        limits: .ofTests), [])
  }

  func testLawsOfSegregating() {
    if TestEffort.isFull {
      XCTAssertEqual(
        AllocatorLaws<SegregatingAllocator<SystemAllocator, HeaderedAllocator<SystemAllocator>, 1000>>.violations(
          limits: .ofTests), [])
      XCTAssertEqual(
        AllocatorLaws<SegregatingAllocator<SystemAllocator, SystemAllocator, 0>>.violations(limits: .ofTests), [])
    }
    // What is small goes on in the system's where the region is full.
    typealias Small = FallbackAllocator<RegionAllocator, SystemAllocator>
    XCTAssertEqual(
      AllocatorLaws<SegregatingAllocator<Small, HeaderedAllocator<SystemAllocator>, 333>>.violations(limits: .ofTests),
      [])
  }

  func testLawsOfLimiting() {
    if TestEffort.isFull {
      XCTAssertEqual(AllocatorLaws<LimitingAllocator<SystemAllocator>>.violations(limits: .ofTests), [])
    }
    XCTAssertEqual(AllocatorLaws<LimitingAllocator<Fallback>>.violations(limits: .ofTests), [])
  }

  func testLawsOfThreeWithinEachOther() {
    typealias Small = CountingAllocator<HeaderedAllocator<SystemAllocator>>
    XCTAssertEqual(
      AllocatorLaws<LimitingAllocator<HeaderedAllocator<SegregatingAllocator<Small, Fallback, 512>>>>.violations(
        limits: .ofTests), [])
  }

  func testFallbackAsksTheSecondWhereTheFirstIsFull() throws {
    var blocks: [UnsafeMutableRawPointer] = []
    errno = 77
    while let block = Fallback.allocate(size: 4000, align: 16), blocks.count < 1000 { blocks.append(block) }
    XCTAssertEqual(errno, 77, "what the first refuses is no failure")
    XCTAssertEqual(blocks.count, 1000)
    let inRegion = blocks.filter(RegionAllocator.owns)
    XCTAssertGreaterThan(inRegion.count, 10)
    XCTAssertLessThan(inRegion.count, 300)
    // A block of the first that grows beyond it moves, with what is in it.
    let first = try XCTUnwrap(inRegion.first)
    first.initializeMemory(as: UInt8.self, repeating: 9, count: 4000)
    let moved = try XCTUnwrap(Fallback.reallocate(first, oldSize: 4000, size: RegionAllocator.size, align: 16))
    XCTAssertFalse(RegionAllocator.owns(moved))
    XCTAssertTrue(UnsafeRawBufferPointer(start: moved, count: 4000).allSatisfy { $0 == 9 })
    Fallback.deallocate(moved, oldSize: RegionAllocator.size, align: 16)
    for block in blocks where block != first { Fallback.deallocate(block) }
    let again = try XCTUnwrap(Fallback.allocate(size: 4000, align: 16))
    XCTAssertTrue(RegionAllocator.owns(again), "the first has room again")
    Fallback.deallocate(again)
  }

  func testSegregatingAsksBySize() throws {
    let small = try XCTUnwrap(Segregating.allocate(size: 100, align: 16))
    let large = try XCTUnwrap(Segregating.allocate(size: 101, align: 16))
    XCTAssertTrue(RegionAllocator.owns(small))
    XCTAssertFalse(RegionAllocator.owns(large))
    XCTAssertEqual(Segregating.usableSize(size: 90, align: 16), 100, "no more than the threshold")
    XCTAssertEqual(Segregating.usableSize(of: small), 100)
    small.initializeMemory(as: UInt8.self, repeating: 5, count: 100)
    XCTAssertEqual(Segregating.reallocateInPlace(small, oldSize: 100, size: 110, align: 16), 100)
    let grown = try XCTUnwrap(Segregating.reallocate(small, size: 5000))
    XCTAssertFalse(RegionAllocator.owns(grown))
    XCTAssertTrue(UnsafeRawBufferPointer(start: grown, count: 100).allSatisfy { $0 == 5 })
    let shrunk = try XCTUnwrap(Segregating.reallocate(grown, oldSize: 5000, size: 10, align: 16))
    XCTAssertTrue(RegionAllocator.owns(shrunk))
    XCTAssertTrue(UnsafeRawBufferPointer(start: shrunk, count: 10).allSatisfy { $0 == 5 })
    Segregating.deallocate(shrunk)
    Segregating.deallocate(large, oldSize: 101, align: 16)
  }

  func testLimit() throws {
    typealias Limiting = LimitingAllocator<SystemAllocator>
    let before = AllocatorLimit.liveBytes
    let kept = try XCTUnwrap(Limiting.allocate(size: 1000, align: 16))
    XCTAssertEqual(AllocatorLimit.liveBytes - before, 1000)
    AllocatorLimit.bytes = AllocatorLimit.liveBytes + 10_000
    defer { AllocatorLimit.bytes = .max }
    _ = AllocatorLimit.takeRefusals()
    XCTAssertNil(Limiting.allocate(size: 10_001, align: 16))
    XCTAssertNil(Limiting.allocateZeroed(size: 1 << 40, align: 64))
    XCTAssertNil(Limiting.reallocate(kept, size: 12_000))
    XCTAssertEqual(AllocatorLimit.takeRefusals(), 3)
    XCTAssertEqual(AllocatorLimit.takeRefusals(), 0)
    XCTAssertEqual(AllocatorLimit.liveBytes - before, 1000, "what was refused takes nothing")
    let grown = try XCTUnwrap(Limiting.reallocate(kept, oldSize: 1000, size: 9000, align: 16), "within the limit")
    XCTAssertEqual(AllocatorLimit.liveBytes - before, Limiting.usableSize(of: grown))
    Limiting.deallocate(grown, oldSize: 9000, align: 16)
    XCTAssertEqual(AllocatorLimit.liveBytes, before)
    AllocatorLimit.bytes = 0
    XCTAssertNil(Limiting.allocate(size: 1, align: 1))
    XCTAssertEqual(AllocatorLimit.takeRefusals(), 1)
  }

  func testThreadsKeepToTheLimit() {
    typealias Limiting = LimitingAllocator<SystemAllocator>
    let before = AllocatorLimit.liveBytes
    AllocatorLimit.bytes = before + 100_000
    defer { AllocatorLimit.bytes = .max }
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<200 {
        var blocks: [UnsafeMutableRawPointer] = []
        while let block = Limiting.allocate(size: 1000, align: 16) { blocks.append(block) }
        // glibc now and then gives a block 16 bytes more than it says beforehand, to each of the threads at most.
        XCTAssertLessThanOrEqual(AllocatorLimit.liveBytes, before + 100_000 + 8 * 16)
        for block in blocks { Limiting.deallocate(block) }
      }
    }
    XCTAssertEqual(AllocatorLimit.liveBytes, before)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import AllocatorTestKit
import Dispatch
import SystemAllocator
import TestEffort
import XCTest

final class TracingAllocatorTests: XCTestCase {
  private typealias Tracing = TracingAllocator<SystemAllocator>

  /// Nothing of the buffer before this test, and nothing written after it.
  private func traced(_ body: () throws -> Void) rethrows -> [AllocatorCall] {
    takeAll()
    XCTAssertTrue(AllocatorTrace.start(capacity: 1 << 14))
    defer { AllocatorTrace.stop() }
    try body()
    AllocatorTrace.stop()
    return takeAll()
  }

  @discardableResult
  private func takeAll() -> [AllocatorCall] {
    var calls: [AllocatorCall] = []
    while case let some = AllocatorTrace.takeCalls(atMost: 1000), !some.isEmpty { calls += some }
    return calls
  }

  func testLaws() {
    _ = traced { XCTAssertEqual(AllocatorLaws<Tracing>.violations(limits: .ofTests), []) }
  }

  func testLawsOfCompositions() {
    RegionAllocator.empty()
    _ = traced {
      if TestEffort.isFull {
        XCTAssertEqual(
          AllocatorLaws<TracingAllocator<HeaderedAllocator<SystemAllocator>>>.violations(limits: .ofTests), [])
        XCTAssertEqual(
          AllocatorLaws<LimitingAllocator<TracingAllocator<CountingAllocator<SystemAllocator>>>>.violations(
            limits: .ofTests), [])
      }
      typealias Small = TracingAllocator<FallbackAllocator<RegionAllocator, SystemAllocator>>
      XCTAssertEqual(
        AllocatorLaws<SegregatingAllocator<Small, HeaderedAllocator<SystemAllocator>, 500>>.violations(
          limits: .ofTests), [])
    }
  }

  func testEachCall() throws {
    var addresses: [UInt] = []
    let calls = try traced {
      let first = try XCTUnwrap(Tracing.allocate(size: 100, align: 64))
      let second = try XCTUnwrap(Tracing.allocateZeroed(size: 200, align: 16))
      let third = try XCTUnwrap(Tracing.reallocate(second, size: 5000))
      let fourth = try XCTUnwrap(Tracing.reallocate(first, oldSize: 100, size: 300, align: 64))
      addresses = [first, second, third, fourth].map { UInt(bitPattern: $0) }
      XCTAssertNil(Tracing.allocate(size: -1, align: 16))
      XCTAssertNil(Tracing.reallocate(third, size: -1))
      Tracing.deallocate(third)
      Tracing.deallocate(fourth, oldSize: 300, align: 64)
    }
    typealias Kind = AllocatorCall.Kind
    let kinds: [Kind] = [
      .allocate, .allocateZeroed, .reallocate, .reallocated, .reallocate, .reallocated, .allocate, .reallocate,
      .reallocated, .deallocate, .deallocateSized,
    ]
    XCTAssertEqual(calls.map(\.kind), kinds)
    guard calls.count == kinds.count else { return }
    XCTAssertEqual(
      calls.map(\.address),
      [0, 1, 1, 2, 0, 3, nil, 2, nil, 2, 3].map { index in index.map { addresses[$0] } })
    XCTAssertEqual(calls.map(\.size), [100, 200, 5000, 5000, 300, 300, -1, -1, -1, 0, 300])
    XCTAssertEqual(calls.map(\.alignment), [64, 16, 16, 16, 64, 64, 16, 16, 16, 1, 64])
    XCTAssertEqual(Set(calls.map(\.thread)).count, 1)
    XCTAssertEqual(calls.map(\.nanoseconds), calls.map(\.nanoseconds).sorted())
    XCTAssertGreaterThan(calls[0].nanoseconds, 0)
  }

  /// A resize in place is one where the block has another size then.
  func testResizeInPlace() throws {
    typealias Growing = TracingAllocator<GrowingAllocator>
    let calls = traced {
      let block = UnsafeMutableRawPointer(bitPattern: 4096)!
      _ = Growing.reallocateInPlace(block, oldSize: 100, size: 200, align: 16)
      _ = Growing.reallocateInPlace(block, oldSize: 100, size: 2000, align: 16)
      _ = Growing.reallocateInPlace(block, oldSize: 100, size: 50, align: 16)
      _ = Growing.reallocateInPlace(block, oldSize: 100, size: -50, align: 16)
    }
    XCTAssertEqual(calls.map(\.kind), [.reallocatedInPlace, .reallocatedInPlace])
    XCTAssertEqual(calls.map(\.size), [200, 50])
  }

  /// An address is released before it is allocated again, whichever threads do it; and nothing is lost or doubled.
  func testOrderBetweenThreads() throws {
    // Its blocks go from thread to thread at once.
    typealias Shared = TracingAllocator<RegionAllocator>
    RegionAllocator.empty()
    let lost = AllocatorTrace.lostCalls
    var live: [UInt: Int] = [:]
    for _ in 0..<100 {
      let calls = traced {
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
          for _ in 1...400 { Shared.deallocate(Shared.allocate(size: 10, align: 16)!) }
        }
      }
      XCTAssertEqual(calls.count, 3200)
      for call in calls {
        let address = try XCTUnwrap(call.address)
        if call.kind == .allocate {
          XCTAssertNil(live.updateValue(call.thread, forKey: address))
        } else {
          XCTAssertEqual(live.removeValue(forKey: address), call.thread)
        }
      }
      XCTAssertEqual(live, [:])
    }
    XCTAssertEqual(AllocatorTrace.lostCalls, lost)
  }

  /// A full buffer costs calls, which are counted, and not the program.
  func testFullBuffer() throws {
    let lost = AllocatorTrace.lostCalls
    let calls = traced {
      for _ in 0..<20_000 { Tracing.deallocate(Tracing.allocate(size: 10, align: 16)!) }
    }
    XCTAssertEqual(calls.count, 1 << 14)
    XCTAssertEqual(AllocatorTrace.lostCalls - lost, 40_000 - 1 << 14)
    let again = traced { Tracing.deallocate(Tracing.allocate(size: 10, align: 16)!) }
    XCTAssertEqual(again.map(\.kind), [.allocate, .deallocate], "there is room again")
  }

  func testOffByDefaultAndAfterStop() {
    _ = traced {}
    Tracing.deallocate(Tracing.allocate(size: 10, align: 16)!)
    XCTAssertEqual(takeAll(), [])
    XCTAssertFalse(AllocatorTrace.isOn)
  }

  func testStatisticsOfComposedAllocators() throws {
    typealias Both = SegregatingAllocator<Tracing, SystemAllocator, 1000>
    let blocks = (0..<2_000).map { _ in SystemAllocator.allocate(size: 1_500, align: 16)! }
    let one = try XCTUnwrap(SystemAllocator.statistics.mappedBytes)
    XCTAssertEqual(
      Double(try XCTUnwrap(Both.statistics.mappedBytes)), Double(2 * one), accuracy: Double(one) / 4)
    XCTAssertNotNil(LimitingAllocator<Tracing>.statistics.liveBytes)
    XCTAssertNotNil(Tracing.statistics.liveBytes)
    XCTAssertNil(Both.statistics.residentBytes, "what one of them does not know is not known")
    for (index, block) in blocks.enumerated() where index % 2 == 0 { SystemAllocator.deallocate(block) }
    let classes = Both.sizeClasses
    XCTAssertEqual(classes.map(\.blockSize), classes.map(\.blockSize).sorted())
    XCTAssertGreaterThan(classes.count, 1)
    for (index, block) in blocks.enumerated() where index % 2 > 0 { SystemAllocator.deallocate(block) }
  }
}

/// Blocks that can be resized between 1 and 1000 bytes; there are none in truth.
private enum GrowingAllocator: AllocatorABI {
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? { nil }
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {}
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  { nil }
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    size <= 1000 ? size : oldSize
  }
  static func usableSize(size: Int, align: Int) -> Int { size }
}

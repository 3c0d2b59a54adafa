// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Foundation
import Synchronization
import TestEffort
import XCTest

@testable import AllocatorInsight

/// Policies and limits, on usage that is made up.
final class PolicyTests: XCTestCase {
  override func tearDown() { Insight.stop() }

  private final class Counter: Sendable {
    let value = Mutex(0)

    func wait(for count: Int) -> Bool {
      for _ in 0..<500 {
        if value.withLock({ $0 }) >= count { return true }
        usleep(10_000)
      }
      return false
    }
  }

  func testLimitTellsOncePerCrossing() throws {
    let usage = Mutex(50)
    let calls = Counter()
    let limit = MemoryLimit(.bytes(100)) {
      MemoryLimit.Usage(bytes: usage.withLock { $0 }, mark: 100)
    } body: { report in
      XCTAssertFalse(report.verdict.sentence.isEmpty)
      calls.value.withLock { $0 += 1 }
    }
    var now = 0.0
    func look(at bytes: Int) {
      usage.withLock { $0 = bytes }
      now += 1
      XCTAssertGreaterThan(limit.tend(at: now), 0)
    }
    look(at: 100)
    XCTAssertEqual(limit.crossingCount, 0, "at the mark is not above it")
    for bytes in [101, 150, 99, 101, 95, 120, 90] { look(at: bytes) }
    XCTAssertEqual(limit.crossingCount, 1, "it has not been below nine tenths since")
    look(at: 89)
    look(at: 101)
    XCTAssertEqual(limit.crossingCount, 2)
    XCTAssertTrue(calls.wait(for: 2))
  }

  func testLimitOnTheProcessItself() throws {
    let resident = try XCTUnwrap(ProcessMemory.current.residentBytes)
    let calls = Counter()
    let limit = MemoryLimit.soft(.bytes(resident + (32 << 20))) { _ in calls.value.withLock { $0 += 1 } }
    XCTAssertTrue(limit.isEffective)
    usleep(UInt32(TestEffort.count(300_000, quick: 150_000)))
    XCTAssertEqual(limit.crossingCount, 0)
    let block = malloc(64 << 20)!
    memset(block, 1, 64 << 20)
    XCTAssertTrue(calls.wait(for: 1))
    free(block)
    XCTAssertEqual(limit.crossingCount, 1)
    limit.cancel()
  }

  func testFractionOfNoLimitIsNone() {
    let limit = MemoryLimit(.fractionOfCgroup(0.5), usage: { nil }) { _ in XCTFail("there is no mark") }
    XCTAssertFalse(limit.isEffective)
    for second in 0..<10 { _ = limit.tend(at: Double(second)) }
    XCTAssertEqual(limit.crossingCount, 0)
  }

  private enum Releasing: MemoryReleasing {
    static let calls = Mutex(0)
    static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? { nil }
    static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {}
    static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
      -> UnsafeMutableRawPointer?
    { nil }
    static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int { 0 }
    static func usableSize(size: Int, align: Int) -> Int { size }
    static func releaseFreeMemory() { calls.withLock { $0 += 1 } }
  }

  func testEverySoOften() {
    let policy = ReleasePolicy.every(.seconds(10)).releasing(Releasing.self)
    let before = Releasing.calls.withLock { $0 }
    for second in 100..<200 { _ = policy.tend(at: Double(second), hasPressure: false) }
    XCTAssertEqual(policy.releaseCount, 9)
    XCTAssertEqual(Releasing.calls.withLock { $0 } - before, 9)
  }

  func testOnPressureAndNotTooOften() {
    let policy = ReleasePolicy.onMemoryPressure.releasing(Releasing.self)
    for second in 0..<20 { _ = policy.tend(at: Double(second), hasPressure: false) }
    XCTAssertEqual(policy.releaseCount, 0)
    for second in 20..<45 { _ = policy.tend(at: Double(second), hasPressure: true) }
    XCTAssertEqual(policy.releaseCount, 3)
  }

  /// Once for each time that it has become idle.
  func testWhenIdle() {
    let policy = ReleasePolicy.whenIdle(for: .seconds(5)).releasing(Releasing.self)
    // Hardly any time passes, and little is done in it; what the process has done before is not idle.
    for second in 1..<30 { _ = policy.tend(at: Double(second * 1_000), hasPressure: false) }
    XCTAssertEqual(policy.releaseCount, 1)
  }

  func testStartReleases() {
    Insight.start(
      folder: "/tmp/insight-policy-\(getpid())",
      releasing: [
        ReleasePolicy.every(.milliseconds(20)).releasing(Releasing.self)
      ])
    let before = Releasing.calls.withLock { $0 }
    for _ in 0..<300 where Releasing.calls.withLock({ $0 }) < before + 3 { usleep(10_000) }
    XCTAssertGreaterThanOrEqual(Releasing.calls.withLock { $0 }, before + 3)
    Insight.stop()
    rmdir("/tmp/insight-policy-\(getpid())")
  }

  /// The kernel's own alarm, from tasks that really wait for memory, by way of the thread to the policy.
  func testKernelsAlarmReleases() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    var watch = PressureWatch()
    watch.look(at: 0)
    try XCTSkipIf(
      watch.descriptor < 0, "skipped: the kernel takes no alarm for pressure: \(String(cString: strerror(errno)))")
    watch.disarm()
    let group = try ThrashingGroup()
    let policy = ReleasePolicy.onMemoryPressure.releasing(Releasing.self)
    let before = Releasing.calls.withLock { $0 }
    Insight.start(folder: "/tmp/insight-pressure-\(getpid())", releasing: [policy])
    defer {
      Insight.stop()
      rmdir("/tmp/insight-pressure-\(getpid())")
    }
    usleep(300_000)
    XCTAssertEqual(policy.releaseCount, 0, "nobody waits yet")
    try withExtendedLifetime(group) {
      try group.thrash()
      for _ in 0..<6_000 where policy.releaseCount == 0 { usleep(10_000) }
    }
    XCTAssertEqual(policy.releaseCount, 1)
    XCTAssertEqual(Releasing.calls.withLock { $0 } - before, 1)
  }

  /// The kernel takes the alarm, or refuses it; neither is an error, and counts of hits are looked at either way.
  func testPressureWatch() {
    var watch = PressureWatch()
    watch.look(at: 0)
    watch.look(at: 2)
    XCTAssertFalse(watch.hasRisen)
    watch.disarm()
    XCTAssertEqual(watch.descriptor, -1)
  }
}

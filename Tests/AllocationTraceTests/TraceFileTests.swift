// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocationTrace
import CAllocatorTrace
import Foundation
import TraceFuzzing
import TestEffort
import XCTest

final class TraceFileTests: XCTestCase {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString)")
  private var path: String { folder.appendingPathComponent("trace").path }

  override func setUpWithError() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  override func tearDownWithError() throws {
    try FileManager.default.removeItem(at: folder)
  }

  private func record(
    _ call: allocator_trace_call, _ address: UInt64, _ size: UInt64 = 0, thread: UInt32 = 1, alignment: UInt8 = 4,
    at nanoseconds: UInt64 = 0
  ) -> allocator_trace_record {
    var record = allocator_trace_record()
    record.call = call
    record.address = address
    record.size = size
    record.thread = thread
    record.alignment = alignment
    record.nanoseconds = nanoseconds
    return record
  }

  @discardableResult
  private func write(
    _ records: [allocator_trace_record], hasTimes: Bool = false, lostCalls: Int = 0
  ) throws -> TraceSummary {
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    defer { close(file) }
    var writer = try TraceWriter(descriptor: file, command: ["a program", "with", ""], hasTimes: hasTimes)
    for record in records { writer.write(record) }
    return writer.finish(lostCalls: lostCalls)
  }

  private func events(_ trace: AllocationTrace) throws -> [TraceEvent] {
    var events: [TraceEvent] = []
    try trace.forEach { event, _ in events.append(event) }
    return events
  }

  private func event(
    _ kind: TraceEvent.Kind, _ slot: Int, _ size: Int, thread: Int = 0, alignment: Int = 4, nanoseconds: UInt64 = 0
  ) -> TraceEvent {
    TraceEvent(
      kind: kind, thread: thread, slot: slot, size: size, alignment: alignment, nanoseconds: nanoseconds)
  }

  func testWhatIsWrittenIsRead() throws {
    let written = try write([
      record(ALLOCATOR_TRACE_ALLOCATE, 0x1000, 100),
      record(ALLOCATOR_TRACE_ALLOCATE_ZEROED, 0x2000, 70_000, thread: 7, alignment: 12),
      record(ALLOCATOR_TRACE_REALLOCATE, 0x1000, 5000),
      // While one thread moves its block, another gets the address that it leaves.
      record(ALLOCATOR_TRACE_ALLOCATE, 0x1000, 1, thread: 9),
      record(ALLOCATOR_TRACE_REALLOCATED, 0x3000, 5000),
      record(ALLOCATOR_TRACE_DEALLOCATE, 0x2000, thread: 1),
      record(ALLOCATOR_TRACE_ALLOCATE, 0, .max, thread: 9),
      record(ALLOCATOR_TRACE_REALLOCATE, 0x1000, 1 << 60, thread: 9),
      record(ALLOCATOR_TRACE_REALLOCATED, 0, 1 << 60, thread: 9),
      record(ALLOCATOR_TRACE_REALLOCATED_IN_PLACE, 0x1000, 9, thread: 9),
      record(ALLOCATOR_TRACE_ALLOCATE_ZEROED, 0x2000, 33),
      record(ALLOCATOR_TRACE_DEALLOCATE_SIZED, 0x1000, 9, thread: 7),
    ])
    let trace = try AllocationTrace(path: path)
    XCTAssertEqual(trace.command, ["a program", "with", ""])
    XCTAssertEqual(
      try events(trace),
      [
        event(.allocate, 0, 100), event(.allocateZeroed, 1, 70_000, thread: 1, alignment: 12),
        event(.allocate, 2, 1, thread: 2), event(.reallocate, 0, 5000), event(.deallocate, 1, 70_000),
        event(.failedAllocation, -1, .max - 1, thread: 2), event(.failedReallocation, 2, 1 << 60, thread: 2),
        event(.resizeInPlace, 2, 9, thread: 2), event(.allocateZeroed, 1, 33), event(.deallocateSized, 2, 9, thread: 1),
      ])
    XCTAssertEqual(trace.summary, written)
    XCTAssertEqual(written.state, .whole)
    XCTAssertNil(written.defect)
    XCTAssertEqual(written.calls, 10)
    XCTAssertEqual(
      [
        written.allocations, written.zeroedAllocations, written.deallocations, written.sizedDeallocations,
        written.reallocations, written.resizesInPlace, written.failures, written.threads, written.peakLiveBlocks,
        written.peakLiveBytes,
      ], [2, 2, 1, 1, 1, 1, 2, 3, 3, 75_001])
    try ReplayPlan(trace, samples: 3).check(against: trace.summary)
  }

  func testTimes() throws {
    try write(
      [
        record(ALLOCATOR_TRACE_ALLOCATE, 16, 1, at: 1_000_000_000),
        record(ALLOCATOR_TRACE_ALLOCATE, 32, 1, at: 1_000_000_300),
        record(ALLOCATOR_TRACE_DEALLOCATE, 16, at: 3_000_000_000),
      ], hasTimes: true)
    let trace = try AllocationTrace(path: path)
    XCTAssertEqual(try events(trace).map(\.nanoseconds), [0, 300, 1_999_999_700])
  }

  /// What does not fit is counted, and the trace says so.
  func testLostCalls() throws {
    let lost = try write([record(ALLOCATOR_TRACE_ALLOCATE, 16, 1)], lostCalls: 3)
    XCTAssertEqual(lost.state, .notWhole)
    XCTAssertEqual(try AllocationTrace(path: path).summary.defect, "3 calls were lost")
    let unmatched = try write([
      record(ALLOCATOR_TRACE_DEALLOCATE, 16), record(ALLOCATOR_TRACE_ALLOCATE, 32, 10),
      record(ALLOCATOR_TRACE_ALLOCATE, 32, 20), record(ALLOCATOR_TRACE_REALLOCATE, 48, 5),
      record(ALLOCATOR_TRACE_REALLOCATED, 64, 5), record(ALLOCATOR_TRACE_REALLOCATED_IN_PLACE, 80, 5),
      record(ALLOCATOR_TRACE_REALLOCATED, 0, 5), record(ALLOCATOR_TRACE_DEALLOCATE, 32),
    ])
    XCTAssertEqual(unmatched.unmatchedCalls, 5)
    XCTAssertEqual(
      try events(AllocationTrace(path: path)).map(\.kind), [.allocate, .allocate, .allocate, .deallocate])
  }

  /// A program that becomes another one leaves nothing in the trace.
  func testExec() throws {
    let summary = try write([
      record(ALLOCATOR_TRACE_ALLOCATE, 16, 1), record(ALLOCATOR_TRACE_REALLOCATE, 16, 2),
      record(ALLOCATOR_TRACE_EXECUTED, 0), record(ALLOCATOR_TRACE_ALLOCATE, 16, 70, thread: 3),
    ])
    XCTAssertEqual(summary.earlierPrograms, 1)
    XCTAssertEqual(summary.state, .whole)
    XCTAssertEqual(try events(AllocationTrace(path: path)), [event(.allocate, 0, 70)])
  }

  /// A file that may not grow: what fits stays readable, and says that it is not all.
  func testFullDisk() throws {
    var old = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
    signal(SIGXFSZ, SIG_IGN)
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    defer { close(file) }
    var writer = try TraceWriter(descriptor: file, command: ["x"], hasTimes: false)
    var limit = rlimit(rlim_cur: 200_000, rlim_max: old.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    for number in 1...300_000 as ClosedRange<UInt64> { writer.write(record(ALLOCATOR_TRACE_ALLOCATE, 16 * number, 5)) }
    let summary = writer.finish(lostCalls: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
    XCTAssertEqual(summary.state, .notWhole)
    let trace = try AllocationTrace(path: path)
    XCTAssertEqual(trace.summary, summary)
    XCTAssertGreaterThan(trace.summary.calls, 50_000)
    XCTAssertEqual(trace.summary.calls + trace.summary.unwrittenCalls, 300_000)
    XCTAssertEqual(
      trace.summary.defect,
      "the file could not be written (File too large), which left out \(300_000 - summary.calls) calls")
  }

  func testRefusals() throws {
    try write([record(ALLOCATOR_TRACE_ALLOCATE, 16, 1), record(ALLOCATOR_TRACE_DEALLOCATE, 16)])
    let good = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    XCTAssertNoThrow(try AllocationTrace(bytes: good))
    func refusal(_ bytes: [UInt8]) -> String? {
      do {
        _ = try AllocationTrace(bytes: bytes)
        return nil
      } catch {
        return error.description
      }
    }
    for length in 0..<good.count {
      let said = refusal(Array(good[..<length]))
      XCTAssertNotNil(said, "\(length) bytes")
      XCTAssertTrue(length < 8 || said!.contains("cut off"), said ?? "")
    }
    for index in good.indices {
      for flip in [1, 0x80, 0xFF] as [UInt8] {
        var bad = good
        bad[index] ^= flip
        XCTAssertNotNil(refusal(bad), "byte \(index)")
      }
    }
    XCTAssertEqual(refusal([]), "is empty")
    XCTAssertEqual(refusal(Array("#!/bin/sh\n".utf8)), "is no trace")
    XCTAssertEqual(refusal(good + [1]), "has 1 bytes behind its end")
    var other = good
    other[8] = 2
    XCTAssertEqual(refusal(other), "is a trace of version 2; this program reads version 1")
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    defer { close(file) }
    let writer = try TraceWriter(descriptor: file, command: ["x"], hasTimes: false)
    XCTAssertThrowsError(try AllocationTrace(path: path)) {
      XCTAssertEqual("\($0)", "is unfinished: its recording goes on, or was killed")
    }
    _ = consume writer
    XCTAssertThrowsError(try AllocationTrace(path: folder.path)) { XCTAssertEqual("\($0)", "is a directory") }
    XCTAssertThrowsError(try AllocationTrace(path: path + "?")) {
      XCTAssertEqual("\($0)", "cannot be read: No such file or directory")
    }
  }

  /// Traces of bytes that are drawn, behind a head that fits. `.ci/fuzz` does it for longer.
  func testMadeUpTraces() {
    var generator = SystemRandomNumberGenerator()
    var readable = 0
    for round in 0..<TestEffort.count(3000, quick: 800) {
      // Mostly entries that make sense, else hardly any is read to its end.
      let entries = (0..<Int.random(in: 0...40, using: &generator)).flatMap { _ -> [UInt8] in
        switch Int.random(in: 0...5, using: &generator) {
        case 0, 1: [1, .random(in: 0...127)]
        case 2: [2 | 16, .random(in: 0...70), .random(in: 0...127)]
        case 3: [3, .random(in: 0...3)]
        case 4: [7, .random(in: 0...2)]
        default: [5, .random(in: 0...3), .random(in: 0...255), .random(in: 0...15)]
        }
      }
      if readAsTrace([UInt8(round & 2 | 1)] + entries) { readable += 1 }
      readAsTrace((0..<300).map { _ in .random(in: 0...255) })
    }
    XCTAssertGreaterThan(readable, 20)
  }
}

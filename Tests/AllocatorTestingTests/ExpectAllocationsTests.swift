// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTesting
import CAllocatorInsight
import Foundation
import TestEffort
import XCTest

@testable import AllocatorInsight

final class ExpectAllocationsTests: FailingTestCase {
  /// What a closure allocates, by the count of one run.
  private func count(_ body: () throws -> Void) throws -> Int {
    let scope = try AllocationScope()
    try scope.run(body)
    return own(scope)
  }

  private func own(_ scope: AllocationScope) -> Int {
    scope.sites().reduce(0) { $0 + ($1.isOfTheProcess ? 0 : $1.count) }
  }

  // MARK: Beside noise

  /// Two hundred times, if in full, the same number, and one more is one more.
  func testSynchronous() throws {
    let noise = Noise()
    defer { noise.stop() }
    XCTAssertEqual(try count { XCTAssertEqual(makeSessions(100).count, 100) }, 101)
    for _ in 0..<TestEffort.count(200, quick: 10) {
      expectAllocations(atMost: 101) { _ = makeSessions(100) }
      XCTAssertEqual(failures { expectAllocations(atMost: 101) { _ = makeSessions(101) } }.count, 1)
    }
  }

  func testAcrossSuspensions() async throws {
    let noise = Noise()
    defer { noise.stop() }
    @Sendable func work(_ sessions: Int) async {
      _ = makeSessions(sessions).count
      await Task.yield()
      _ = makeSessions(50).count
    }
    for _ in 0..<TestEffort.count(200, quick: 6) {
      await expectAllocations(atMost: 153) { await work(100) }
      let failures = await failures { await expectAllocations(atMost: 153) { await work(101) } }
      XCTAssertEqual(failures.count, 1)
    }
  }

  func testChildTasks() async throws {
    let noise = Noise()
    defer { noise.stop() }
    @Sendable func one() async -> Int { makeSessions(10).count }
    @Sendable func work(_ sessions: Int) async {
      await withTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
          group.addTask {
            await Task.yield()
            return makeSessions(100).count
          }
        }
        for await _ in group {}
      }
      async let one = one()
      let unstructured = Task { makeSessions(sessions).count }
      let store = Store()
      await store.add(10)
      _ = await (one, unstructured.value)
    }
    // What it needs is found out by asking for none; the first time, more comes.
    await work(20)
    let first = await failures { await expectAllocations(atMost: 0) { await work(20) } }
    let limit = try XCTUnwrap(
      Int(first.first?.message.firstMatch(of: #/([0-9]+) allocations of /#)?.1 ?? ""), "\(first)")
    XCTAssertGreaterThanOrEqual(limit, 4 * 101 + 11 + 21 + 11)
    for round in 0..<TestEffort.count(200, quick: 2) {
      await expectAllocations(atMost: limit) { await work(20) }
      guard round % 10 == 0 else { continue }
      let failures = await failures { await expectAllocations(atMost: limit) { await work(21) } }
      XCTAssertEqual(failures.count, 1)
    }
  }

  // MARK: What counts

  func testEachFunction() throws {
    let number = try count {
      var aligned: UnsafeMutableRawPointer?
      posix_memalign(&aligned, 256, 1_003)
      giveBack(aligned)
      giveBack(malloc(1_000))
      giveBack(calloc(1, 1_001))
      giveBack(realloc(keep(malloc(500)), 1_002))
      giveBack(aligned_alloc(64, 1_024))
    }
    XCTAssertEqual(number, 6)
    let scope = try AllocationScope()
    scope.run { giveBack(malloc(12_345)) }
    XCTAssertEqual(scope.totals.bytes, 12_345)
  }

  /// Others' work is not the closure's, and what a task does after the end is none of it.
  func testWhatDoesNotCount() async throws {
    let scope = try AllocationScope()
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    let late = await scope.run {
      await Task.yield()
      return Task {
        for await _ in stream {}
        return makeSessions(1_000).count
      }
    }
    let before = scope.totals.count
    XCTAssertLessThan(before, 100)
    continuation.finish()
    let sessions = await late.value
    XCTAssertEqual(sessions, 1_000)
    XCTAssertEqual(scope.totals.count, before)

    let other = try AllocationScope()
    await other.run { await Task.detached { _ = makeSessions(1_000).count }.value }
    XCTAssertLessThan(other.totals.count, 100)
  }

  func testScopeWithinAScope() throws {
    let outer = try AllocationScope()
    var inner = 0
    try outer.run {
      _ = makeSessions(10)
      let scope = try AllocationScope()
      scope.run { _ = makeSessions(20) }
      inner = own(scope)
      _ = makeSessions(30)
    }
    XCTAssertEqual(inner, 21)
    // To make the inner one takes an object, which is in the outer one.
    XCTAssertGreaterThanOrEqual(outer.totals.count, 11 + 21 + 31)
  }

  /// More call sites than there is room for: none of them is lost to the count.
  func testManySites() throws {
    func allocate(_ depth: Int) {
      giveBack(malloc(64))
      if depth > 0 { allocate(depth - 1) }
    }
    for rounds in 1...2 {
      let scope = try AllocationScope()
      scope.run { for _ in 0..<rounds { allocate(6_000) } }
      XCTAssertEqual(scope.totals.count, 6_001 * rounds)
      XCTAssertEqual(scope.sites().reduce(0) { $0 + $1.count }, 6_001 * rounds)
    }
  }

  func testBesideAProfile() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let scope = try AllocationScope(keepsBlocks: true)
    var sessions: [Session] = []
    scope.run { sessions = makeSessions(300) }
    let profile = try XCTUnwrap(HeapProfiler.stop())
    let sampled = profile.sites.flatMap(\.types).filter { $0.name == "AllocatorTestingTests.Session" }
    XCTAssertEqual(sampled.reduce(0) { $0 + $1.live.objects.value }, 300)
    XCTAssertEqual(own(scope), 301)
    // A profile that starts has the filter of blocks to itself, but for these.
    try HeapProfiler.start()
    sessions.removeAll()
    HeapProfiler.stop()
    XCTAssertEqual(scope.blocks().sites.count, 0)
  }

  /// Metadata of a type that was never used before comes once, and is nobody's.
  func testMetadataDoesNotCount() throws {
    struct Box<Value> { var value: [Value] = [] }
    @inline(never) func use<Value>(_ type: Value.Type, _ depth: Int) -> Int {
      depth == 0 ? MemoryLayout<Value>.size : use(Box<Value>.self, depth - 1)
    }
    let scope = try AllocationScope()
    let depth = TestEffort.count(300, quick: 120)
    scope.run { _ = use(Int16.self, depth) }
    XCTAssertGreaterThan(scope.totals.count, 50, "else there is nothing to see here")
    expectAllocations(atMost: 0) { _ = use(Int32.self, depth) }
  }

  // MARK: What a test says

  func testMessage() throws {
    let line = #line + 1
    let failures = failures { expectAllocations(atMost: 5, bytes: 50) { _ = makeSessions(100) } }
    XCTAssertEqual(failures.count, 1)
    let failure = try XCTUnwrap(failures.first)
    XCTAssertEqual(failure.line, line)
    XCTAssertTrue(failure.file.hasSuffix("ExpectAllocationsTests.swift"), failure.file)
    XCTAssertNotNil(
      failure.message.firstMatch(
        of: #/101 allocations of [0-9,]+ bytes, and at most 5 and at most 50 bytes expected:\n/#), failure.message)
    XCTAssertNotNil(
      failure.message.firstMatch(of: #/\n  10[01], [0-9,]+ bytes: .*makeSessions ← /#), failure.message)
    XCTAssertTrue(failure.message.contains("testMessage"), failure.message)
  }

  func testLimitsOfBytes() {
    expectAllocations(bytes: 1_000) { giveBack(malloc(1_000)) }
    XCTAssertEqual(failures { expectAllocations(bytes: 999) { giveBack(malloc(1_000)) } }.count, 1)
    XCTAssertEqual(failures { expectAllocations(atMost: -1) {} }.count, 1)
  }

  func testValuesAndErrors() async throws {
    struct Refusal: Error {}
    XCTAssertEqual(expectAllocations(atMost: 0) { 7 }, 7)
    let seven = await expectAllocations(atMost: 0) { () async -> Int in 7 }
    XCTAssertEqual(seven, 7)
    XCTAssertThrowsError(try expectAllocations { () throws(Refusal) -> Int in throw Refusal() })
    do {
      try await expectAllocations { () async throws(Refusal) -> Int in throw Refusal() }
      XCTFail("it throws")
    } catch { XCTAssertTrue(type(of: error) == Refusal.self) }
  }

  /// All calls go where they went before, a while after the last scope.
  func testNothingIsLeftBehind() throws {
    try AllocationScope().run {}
    for _ in 0..<500 where insight_scopes_have_slots() != 0 { usleep(10_000) }
    XCTAssertEqual(insight_scopes_have_slots(), 0)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTesting
import Foundation
import XCTest

@testable import AllocatorInsight

final class ExpectNoLeaksTests: FailingTestCase {
  /// Kept until the end of the test, and released then.
  private var leaked: [Unmanaged<Session>] = []

  override func tearDown() {
    for session in leaked { session.takeUnretainedValue().onClose = nil }
    leaked = []
  }

  func testNothingLeaks() async {
    let noise = Noise()
    defer { noise.stop() }
    for _ in 0..<20 {
      expectNoLeaks { _ = makeSessions(1_000).count }
      await expectNoLeaks {
        _ = makeSessions(100).count
        await Task.yield()
        await withTaskGroup(of: Int.self) { group in
          for _ in 0..<4 { group.addTask { makeSessions(100).count } }
        }
        let store = Store()
        await store.add(10)
      }
    }
  }

  func testACycle() throws {
    let line = #line + 1
    let failures = failures { expectNoLeaks(within: 0.01) { leaked += (0..<3).map { _ in leakSession() } } }
    XCTAssertEqual(failures.count, 1)
    let failure = try XCTUnwrap(failures.first)
    XCTAssertEqual(failure.line, line)
    XCTAssertTrue(failure.file.hasSuffix("ExpectNoLeaksTests.swift"), failure.file)
    XCTAssertNotNil(
      failure.message.firstMatch(of: #/\n  3 × AllocatorTestingTests.Session, [0-9]+ bytes: .*leakSession ← /#),
      failure.message)
    XCTAssertNotNil(
      failure.message.firstMatch(of: #/\n  3 × closure context[^\n]*, [0-9]+ bytes: .*leakSession ← /#), failure.message
    )
  }

  func testACycleAcrossASuspension() async throws {
    let noise = Noise()
    defer { noise.stop() }
    let failures = await failures {
      await expectNoLeaks(within: 0.01) {
        await Task.yield()
        leaked.append(leakSession())
        await Task.yield()
      }
    }
    let message = try XCTUnwrap(failures.first).message
    XCTAssertTrue(message.contains("  1 × AllocatorTestingTests.Session, "), message)
  }

  /// What others still hold may go a moment later.
  func testPatience() async {
    let held = Held()
    expectNoLeaks(within: 60) {
      held.sessions = makeSessions(10)
      Thread {
        usleep(50_000)
        held.sessions = []
      }.start()
    }
    await expectNoLeaks(within: 60) {
      held.sessions = makeSessions(10)
      await Task.yield()
      Task {
        try? await Task.sleep(for: .milliseconds(50))
        held.sessions = []
      }
    }
  }

  func testReallocation() {
    var block: UnsafeMutableRawPointer?
    let failures = failures {
      expectNoLeaks(within: 0) {
        let first = keep(malloc(100))
        XCTAssertNil(realloc(first, .max / 2))
        block = first
      }
    }
    XCTAssertEqual(failures.count, 1, "what could not be moved is still there")
    expectNoLeaks(within: 0) {
      block = realloc(block, 10_000)
      block = realloc(block, 100_000)
      free(block)
    }
  }

  func testScopeWithinAScope() {
    var outer: [FailingTestCase.Failure] = []
    let inner = failures {
      expectNoLeaks(within: 0) { expectNoLeaks(within: 0) { leaked.append(leakSession()) } }
    }
    outer = inner.filter { $0.message.contains("Session") }
    XCTAssertEqual(outer.count, 2, "\(inner)")
  }

  func testErrorsPass() async {
    struct Refusal: Error {}
    XCTAssertThrowsError(try expectNoLeaks { throw Refusal() })
    do {
      try await expectNoLeaks { () async throws in throw Refusal() }
      XCTFail("it throws")
    } catch { XCTAssertTrue(error is Refusal) }
  }
}

private final class Held: @unchecked Sendable {
  private let lock = NSLock()
  private var kept: [Session] = []

  var sessions: [Session] {
    get { lock.withLock { kept } }
    set {
      let old = lock.withLock {
        let old = kept
        kept = newValue
        return old
      }
      _ = old.count
    }
  }
}

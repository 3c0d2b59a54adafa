// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import NestAllocator
import XCTest

/// What is due to go back, on a clock of this test's.
final class DecayTests: XCTestCase {
  private let interval = Decay.interval

  func testWhatIsFreeThroughAnIntervalBecomesDue() {
    var decay = Decay()
    decay.tick(now: 1000, free: 100, kept: 0)
    XCTAssertEqual(decay.due, 0, "nothing is known of the time before")
    decay.tick(now: 1000 + interval - 1, free: 100, kept: 0)
    XCTAssertEqual(decay.due, 0)
    decay.tick(now: 1000 + interval, free: 100, kept: 0)
    XCTAssertEqual(decay.due, 100)
  }

  func testWhatIsUsedAgainStays() {
    var decay = Decay()
    decay.tick(now: 1000, free: 100, kept: 0)
    // All but 30 were in use for a moment.
    decay.note(free: 30)
    decay.tick(now: 1000 + interval, free: 100, kept: 0)
    XCTAssertEqual(decay.due, 30)
  }

  func testKeptIsNeverDue() {
    var decay = Decay()
    decay.tick(now: 1000, free: 100, kept: 32)
    decay.tick(now: 1000 + interval, free: 100, kept: 32)
    XCTAssertEqual(decay.due, 68)
    decay.tick(now: 1000 + 2 * interval, free: 20, kept: 32)
    XCTAssertEqual(decay.due, 0)
  }

  func testDueShrinksAsItGoesBackAndIsUsed() {
    var decay = Decay()
    decay.tick(now: 1000, free: 100, kept: 0)
    decay.tick(now: 1000 + interval, free: 100, kept: 0)
    decay.noteReturned(40, free: 60)
    XCTAssertEqual(decay.due, 60)
    decay.note(free: 10)
    XCTAssertEqual(decay.due, 10)
    decay.giveUp()
    XCTAssertEqual(decay.due, 0)
  }

  func testHastening() {
    var decay = Decay()
    decay.tick(now: 1000, free: 100, kept: 0)
    decay.note(free: 50)
    decay.hasten(20, free: 50)
    XCTAssertEqual(decay.due, 20)
    decay.hasten(1000, free: 80)
    XCTAssertEqual(decay.due, 50, "no more than what has been free all the time")
  }

  /// Less may be free than what is due and what may become due.
  func testHasteningOfNoMoreThanIsFree() {
    var decay = Decay()
    decay.tick(now: 1000, free: 100, kept: 0)
    decay.tick(now: 2000, free: 100, kept: 40)
    XCTAssertEqual(decay.due, 60)
    decay.note(free: 50)
    decay.hasten(1000, free: 50)
    XCTAssertEqual(decay.due, 50)
    decay.hasten(1000, free: 20)
    XCTAssertEqual(decay.due, 50, "it takes note of nothing")
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Decides how much of what is free has been so for long enough to go back to the system. It only computes.
///
/// Time is divided into intervals. What has been free all through one, the least that was, is due at its end: what a program
/// uses again and again stays. Amounts have whatever unit the owner counts in. A state of zeros has an interval that began
/// at time 0.
package struct Decay {
  /// Milliseconds of an interval.
  package static var interval: Int64 { @_noLocks get { 250 } }

  /// Milliseconds.
  package private(set) var intervalStart: Int64 = 0
  /// The least that has been free since the interval began.
  package private(set) var least = 0
  /// What is to be given back.
  package private(set) var due = 0

  @_noLocks
  package init() {}

  /// Takes note of how much is free now.
  @_noLocks
  package mutating func note(free: Int) {
    if free < least { least = free }
    if due > free { due = free }
  }

  /// Ends the interval if it is over at `now`, milliseconds, and returns whether it is. Of what is free, `kept` never becomes
  /// due.
  @_noLocks @discardableResult
  package mutating func tick(now: Int64, free: Int, kept: Int) -> Bool {
    guard now - intervalStart >= Decay.interval else { return false }
    intervalStart = now
    let most = free > kept ? free - kept : 0
    let all = due + least
    due = all < most ? all : most
    least = free - due
    return true
  }

  /// Takes note of `amount` that has been given back, and of how much is still free.
  @_noLocks
  package mutating func noteReturned(_ amount: Int, free: Int) {
    due = amount < due ? due - amount : 0
    if free < least { least = free }
  }

  /// Makes up to `amount` of what has been free since the interval began due: other memory is about to take its place. No more is due
  /// than is free now.
  @_noLocks
  package mutating func hasten(_ amount: Int, free: Int) {
    let rest = free > due ? free - due : 0
    let most = least < rest ? least : rest
    let more = amount < most ? amount : most
    due += more
    least -= more
  }

  /// Nothing is due any more: the system has refused.
  @_noLocks
  package mutating func giveUp() { due = 0 }
}

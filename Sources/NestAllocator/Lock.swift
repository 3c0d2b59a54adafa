// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A lock for short critical sections that are not on a common path: spins a little, then sleeps on a futex.
//
// It knows its holder, because fork can be called by a signal handler that has interrupted the holder: waiting would then
// be for ever. Holder and lock are one word, so that there is no moment in which a thread holds the lock and nobody knows. A
// state of zeros is an open lock.

struct Lock {
  struct Record: ~Copyable {
    /// 0 open, else the number of the thread that holds the lock, with ``someoneSleeps`` added where somebody may sleep.
    let word: Atomic<UInt32>
  }

  private let record: UnsafeMutablePointer<Record>

  private static var someoneSleeps: UInt32 {
    @_noLocks get { 1 << 31 }
  }

  /// The calling thread's number, not 0: the page in which its thread-local storage begins. Those of two threads could be the
  /// same only if they were 4 TiB apart.
  private static var callingThread: UInt32 {
    @_noLocks get { UInt32(truncatingIfNeeded: nest_thread_identity() >> 12) & (someoneSleeps - 1) | 1 << 30 }
  }

  /// The lock with which `storage` begins.
  @_noLocks
  init(_ storage: UnsafeMutableRawPointer) { record = storage.assumingMemoryBound(to: Record.self) }

  @_noLocks
  func lock() {
    if !exchange(0, for: Self.callingThread) { lockSlowly() }
  }

  @_noLocks
  func unlock() {
    if record.pointee.word.exchange(0, ordering: .releasing) & Self.someoneSleeps != 0 { nest_wake(record) }
  }

  /// Locks, unless the calling thread holds the lock already. Returns whether it locked.
  @_noLocks
  func lockUnlessHeld() -> Bool {
    if record.pointee.word.load(ordering: .relaxed) & ~Self.someoneSleeps == Self.callingThread { return false }
    lock()
    return true
  }

  @_noLocks
  @inline(__always)
  private func exchange(_ expected: UInt32, for desired: UInt32) -> Bool {
    record.pointee.word.compareExchange(
      expected: expected, desired: desired, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  @_noLocks
  @inline(never)
  private func lockSlowly() {
    let thread = Self.callingThread
    for _ in 0..<64 {
      nest_pause()
      if record.pointee.word.load(ordering: .relaxed) == 0, exchange(0, for: thread) { return }
    }
    while true {
      let word = record.pointee.word.load(ordering: .relaxed)
      if word == 0 {
        // Others may sleep still.
        if exchange(0, for: thread | Self.someoneSleeps) { return }
      } else if word & Self.someoneSleeps != 0 || exchange(word, for: word | Self.someoneSleeps) {
        nest_wait(record, word | Self.someoneSleeps)
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A lock for short critical sections that are not on a common path: spins a little, then sleeps on a futex.
//
// No lock is held over fork, see AfterFork, and none over a system call. A lock knows its holder, so that a child can tell
// what its parent's other threads held from what the thread holds that forked. Holder and lock are one word: there is no
// moment in which a thread holds the lock and nobody knows. A state of zeros is an open lock.

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
    if nest_is_new_process() != 0 { AfterFork.mend() }
    if !exchange(0, for: Self.callingThread) { lockSlowly() }
  }

  /// Takes the lock if it is open. Returns whether it was.
  @_noLocks
  func tryLock() -> Bool {
    if nest_is_new_process() != 0 { AfterFork.mend() }
    return exchange(0, for: Self.callingThread)
  }

  @_noLocks
  func unlock() {
    if record.pointee.word.exchange(0, ordering: .releasing) & Self.someoneSleeps != 0 { nest_wake(record) }
  }

  /// Whether a thread other than the calling one holds the lock.
  var isHeldByAnother: Bool {
    @_noLocks get {
      let holder = record.pointee.word.load(ordering: .relaxed) & ~Self.someoneSleeps
      return holder != 0 && holder != Self.callingThread
    }
  }

  /// Whether a thread holds the lock.
  var isHeld: Bool { @_noLocks get { record.pointee.word.load(ordering: .relaxed) != 0 } }

  /// Opens the lock of a thread that is no more.
  @_noLocks
  func forget() { record.pointee.word.store(0, ordering: .relaxed) }

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
      // A signal handler may have forked here, and the holder be no more.
      if nest_is_new_process() != 0 { AfterFork.mend() }
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

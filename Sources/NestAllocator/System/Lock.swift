// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A lock for short critical sections that are not on a common path: spins a little, then sleeps on a futex.
//
// No lock is held over fork, see AfterFork, and none over a system call. A lock knows its holder, so that a child can tell
// what its parent's other threads held from what the thread holds that forked. Holder and lock are one word: there is no
// moment in which a thread holds the lock and nobody knows. A state of zeros is an open lock.
//
// Locks have ranks, in the order in which a thread takes them: a heap's is 0, those of `NEST_LOCKS` are from 1 on. Who holds one
// waits for none of the same rank or a lower one; debug builds assert that once they have been told to.

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
    #if DEBUG
      assertOrder()
    #endif
    if !exchange(0, for: Self.callingThread) { lockSlowly() }
    #if DEBUG
      noteHeld()
    #endif
  }

  /// Takes the lock if it is open. Returns whether it was.
  @_noLocks
  func tryLock() -> Bool {
    if nest_is_new_process() != 0 { AfterFork.mend() }
    let isTaken = exchange(0, for: Self.callingThread)
    #if DEBUG
      if isTaken { noteHeld() }
    #endif
    return isTaken
  }

  @_noLocks
  func unlock() {
    #if DEBUG
      if nest_checks_ranks() != 0 { nest_held_ranks().pointee &= ~(1 << rank) }
    #endif
    if record.pointee.word.exchange(0, ordering: .releasing) & Self.someoneSleeps != 0 { nest_wake(record) }
  }

  #if DEBUG
    private var rank: UInt32 {
      @_noLocks get {
        let offset = UInt(bitPattern: record) &- UInt(bitPattern: nest_lock(0))
        return offset < 64 * UInt(NEST_LOCKS) ? UInt32(truncatingIfNeeded: offset / 64 + 1) : 0
      }
    }

    @_noLocks
    private func assertOrder() {
      if nest_checks_ranks() == 0 { return }
      precondition(nest_held_ranks().pointee >> rank == 0, "a lock is taken out of order")
    }

    @_noLocks
    private func noteHeld() {
      if nest_checks_ranks() != 0 { nest_held_ranks().pointee |= 1 << rank }
    }
  #endif

  /// Whether a thread other than the calling one holds the lock.
  var isHeldByAnother: Bool {
    @_noLocks get {
      let holder = record.pointee.word.load(ordering: .relaxed) & ~Self.someoneSleeps
      return holder != 0 && holder != Self.callingThread
    }
  }

  /// Whether the calling thread holds the lock: a signal handler may have interrupted the code that took it.
  var isHeldByCaller: Bool {
    @_noLocks get { record.pointee.word.load(ordering: .relaxed) & ~Self.someoneSleeps == Self.callingThread }
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

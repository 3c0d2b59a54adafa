// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A lock for short critical sections that are not on a common path: spins a little, then sleeps on a futex.
//
// It knows its holder, because fork can be called by a signal handler that has interrupted the holder: waiting would then
// be for ever. A state of zeros is an open lock.

struct Lock {
  struct Record: ~Copyable {
    /// 0 open, 1 held, 2 held and somebody may sleep.
    let word: Atomic<UInt32>
    let holder: Atomic<UInt>
  }

  private let record: UnsafeMutablePointer<Record>

  /// The lock with which `storage` begins.
  @_noLocks
  init(_ storage: UnsafeMutableRawPointer) { record = storage.assumingMemoryBound(to: Record.self) }

  @_noLocks
  func lock() {
    if !tryLock(1) { lockSlowly() }
    record.pointee.holder.store(nest_thread_identity(), ordering: .relaxed)
  }

  @_noLocks
  func unlock() {
    record.pointee.holder.store(0, ordering: .relaxed)
    if record.pointee.word.exchange(0, ordering: .releasing) == 2 { nest_wake(record) }
  }

  /// Locks, unless the calling thread holds the lock already. Returns whether it locked.
  @_noLocks
  func lockUnlessHeld() -> Bool {
    if record.pointee.holder.load(ordering: .relaxed) == nest_thread_identity() { return false }
    lock()
    return true
  }

  @inline(__always)
  private func tryLock(_ value: UInt32) -> Bool {
    record.pointee.word.compareExchange(
      expected: 0, desired: value, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  @inline(never)
  private func lockSlowly() {
    for _ in 0..<64 {
      nest_pause()
      if record.pointee.word.load(ordering: .relaxed) == 0, tryLock(1) { return }
    }
    while record.pointee.word.exchange(2, ordering: .acquiring) != 0 { nest_wait(record, 2) }
  }
}

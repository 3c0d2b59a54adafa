// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What the thread library tells: the end of a thread, and fork.

/// Leaves the calling thread's heap to others. Thread-local destructors that run later find no heap, and borrow one.
@_noLocks
@_cdecl("nest_thread_exit")
func threadExit() {
  let heap = ThreadHeap.current
  guard !heap.isNone else { return }
  nest_set_heap(nest_no_heap())
  nest_set_ended(1)
  heap.releaseEmptySpans()
  HeapPool.shared.put(heap)
}

// All locks are taken, outermost first, so that the child finds them open and what they guard whole. Heaps of the parent's other
// threads stay as they were in the child: their threads may have been amid a change, so nobody adopts them.

@_noLocks
@_cdecl("nest_before_fork")
func beforeFork() {
  ForkLocks.lockAll()
}

@_noLocks
@_cdecl("nest_after_fork_in_parent")
func afterForkInParent() {
  ForkLocks.unlockAll()
}

@_noLocks
@_cdecl("nest_after_fork_in_child")
func afterForkInChild() {
  ForkLocks.unlockAll()
}

enum ForkLocks {
  /// Which locks fork has taken: those that its caller did not hold (it may be a signal handler that interrupted a holder).
  /// Guarded by themselves.
  private static var taken: UnsafeMutablePointer<(Bool, Bool, Bool)> {
    nest_fork_state().assumingMemoryBound(to: (Bool, Bool, Bool).self)
  }

  @_noLocks
  static func lockAll() {
    let pool = HeapPool.shared.lock.lockUnlessHeld()
    let mappings = Mappings.shared.lock.lockUnlessHeld()
    let pages = PageHeap.shared.lock.lockUnlessHeld()
    taken.pointee = (pool, mappings, pages)
  }

  @_noLocks
  static func unlockAll() {
    let (pool, mappings, pages) = taken.pointee
    if pages { PageHeap.shared.lock.unlock() }
    if mappings { Mappings.shared.lock.unlock() }
    if pool { HeapPool.shared.lock.unlock() }
  }
}

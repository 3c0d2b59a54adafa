// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What a child that fork has made does about the threads that it does not have.
//
// Nothing is done before fork, and nothing in the parent: no lock is held across it. To take locks in a handler that runs
// before fork is to take them before those of the C library's streams, which fork takes afterwards; a thread that holds a
// stream and allocates would wait for ever. Handlers of other libraries may allocate before ours run and after, and fork may
// be called by a signal handler that has interrupted malloc, or fork.
//
// So the child mends. It holds an exact picture of the parent's memory at one moment: of what each thread wrote up to that
// moment, in its order. A lock that another thread held then is one whose structure may be amid a change; that thread is no
// more, so the change is never ended. Two rules make every such structure one that can be used:
//
// - Lists and tables change by the store of a single word. What was on its way in or out is in neither place, and lost to the
//   child, as are the blocks that the parent's other threads had at hand: nobody is left who knows of them.
// - What is counted can be counted again. The page heap counts and lists anew what the bits of its chunks say.
//
// A lock that the forking thread itself holds is left alone. It was taken by the code which the signal handler interrupted,
// and that code goes on in the child.
//
// The child finds out by a page that the kernel clears in it (MADV_WIPEONFORK). The first that takes any lock looks there: a
// handler of fork, whichever comes first, or whatever the child does after a plain system call. A child that shares the
// parent's memory (vfork, posix_spawn) finds the mark, and has nothing to mend.

enum AfterFork {
  @_noLocks @inline(never)
  static func mend() {
    guard nest_may_mend() != 0 else { return }
    // A thread that the child has made may have the stack, and so the number, of one that held a lock; it holds none itself yet.
    let isForker = nest_is_first_thread() != 0
    mend(UnreturnedRanges.shared.lock, isForker) {}
    mend(PageHeap.shared.lock, isForker) { PageHeap.shared.rebuild() }
    mend(PageHeap.ofClasses.lock, isForker) { PageHeap.ofClasses.rebuild() }
    mend(HugeBlocks.shared.lock, isForker) { HugeBlocks.shared.recount() }
    PageHeap.shared.forgetWalks()
    PageHeap.ofClasses.forgetWalks()
    mend(ThreadCaches.shared.lock, isForker) { ThreadCaches.shared.relink() }
    var number = 1
    while number <= Int(NEST_MOST_HEAPS) {
      let heap = Heaps.heap(number)
      // Also where no lock was held: the helper, or a trim, had pages on their way.
      if heap.isLeftPinned, !heap.lock.isHeld { heap.rebuild() }
      mend(heap.lock, isForker) { heap.rebuild() }
      number += 1
    }
    nest_forget_unmade_key()
    nest_has_mended()
  }

  @inline(__always) @_noLocks
  private static func mend(_ lock: Lock, _ isForker: Bool, _ rebuild: () -> Void) {
    guard isForker ? lock.isHeldByAnother : lock.isHeld else { return }
    rebuild()
    lock.forget()
    nest_count_mended_lock()
  }
}

@_noLocks
@_cdecl("nest_after_fork_in_child")
func afterForkInChild() {
  if nest_is_new_process() != 0 { AfterFork.mend() }
}

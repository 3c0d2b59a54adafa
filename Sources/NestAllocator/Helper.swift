// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The helper: a thread that gives memory back where nobody calls any more.
//
// It looks four times a second as long as there is something to give back, now or soon, or blocks are to be looked at, and sleeps without
// an end otherwise; a thread that releases blocks wakes it. While there is one, no other thread makes a system call to give pages back.

enum Helper {
  /// Milliseconds between two looks.
  private static var interval: Int64 { @_noLocks get { 250 } }
  /// Chunks that one look goes over.
  private static var chunks: Int { @_noLocks get { 64 } }

  @_noLocks
  static func run() -> Never {
    while true {
      // What has been looked at is looked at once more: only what has not changed meanwhile is given back.
      while look() || look() {}
      // What is released from now on wakes it. What was released since the last look has woken nobody.
      nest_helper_announce()
      if !look(), nest_samples() == 0, !BackgroundWalk.isOn { nest_helper_wait() }
    }
  }

  /// Waits for one interval for each of so many chunks, and gives back what can go. Returns whether more may become free soon.
  private static func look() -> Bool {
    var (next, isBusy) = (UInt(0), false)
    repeat {
      nest_helper_sleep(interval)
      if nest_samples() != 0 { SampledBlocks.arm() }
      BackgroundWalk.look()
      let areListsLeft = Heaps.collectRemoteFrees()
      let purged = Heaps.purge(from: next, chunks: chunks, all: false)
      next = purged.next
      UntouchablePages.shared.retry()
      let areRunsLeft = PageHeap.shared.releaseDue()
      // Of classes, only what was given up when memory was exhausted.
      let areRunsOfClassesLeft = PageHeap.ofClasses.releaseDue()
      let areSpansLeft = ReservedSpans.shared.releaseDue()
      let areHugeLeft = HugeBlocks.shared.releaseDue()
      isBusy =
        isBusy || areListsLeft || purged.isBusy || areRunsLeft || areRunsOfClassesLeft || areSpansLeft || areHugeLeft
    } while next != 0
    return isBusy
  }
}

@_noLocks
@_cdecl("nest_helper")
func helper() -> Never { Helper.run() }

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The helper: a thread that gives memory back where nobody calls any more.
//
// It looks four times a second as long as there is something to give back, now or soon, and sleeps without an end otherwise; a
// thread that releases blocks wakes it. While there is one, no other thread makes a system call to give pages back.

enum Helper {
  /// Milliseconds between two looks.
  private static var interval: Int64 { @_noLocks get { 250 } }
  /// Chunks that one look goes over.
  private static var chunks: Int { @_noLocks get { 64 } }

  @_noLocks
  static func run() -> Never {
    var (next, isBusy, wasBusy) = (UInt(0), true, true)
    while true {
      // What has been looked at is looked at once more: only what has not changed meanwhile is given back.
      nest_helper_sleep(isBusy || wasBusy || next != 0 ? interval : -1)
      if next == 0 {
        wasBusy = isBusy
        isBusy = false
      }
      Heaps.collectRemoteFrees()
      let purged = Heaps.purge(from: next, chunks: chunks, all: false)
      next = purged.next
      let areRunsLeft = PageHeap.shared.releaseDue()
      let areHugeLeft = HugeBlocks.shared.releaseDue()
      isBusy = isBusy || purged.isBusy || areRunsLeft || areHugeLeft
    }
  }
}

@_noLocks
@_cdecl("nest_helper")
func helper() -> Never { Helper.run() }

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What the thread library tells: the end of a thread.

/// Leaves the calling thread's heap to others. It takes another if it allocates again, until `isLast`: what it allocates from
/// then on, it shares with all such threads; see LateHeap.
@_noLocks
@_cdecl("nest_thread_exit")
func threadExit(isLast: CInt) {
  if isLast != 0 { nest_set_ended(1) }
  let heap = ThreadHeap.current
  guard !heap.isNone else { return }
  nest_set_heap(nest_no_heap())
  heap.releaseEmptySpans()
  HeapPool.shared.put(heap)
}

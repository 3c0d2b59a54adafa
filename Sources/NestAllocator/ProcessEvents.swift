// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What the thread library tells: the end of a thread.

/// Gives back what the calling thread has at hand. It gets another cache if it allocates again, until `isLast`: from then on
/// the heaps serve it block by block.
@_noLocks
@_cdecl("nest_thread_exit")
func threadExit(isLast: CInt) {
  if isLast != 0 { nest_set_ended(1) }
  let cache = ThreadCache.current
  if cache.isNone { return }
  Quarantine.destroyCurrent()
  cache.destroy()
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The heap of all threads whose own heap is gone already: destructors of thread-specific data run after ours, and allocate.
//
// One for the process, under a lock, which is held over all that the heap does. So a thread leaves nothing behind, whenever its
// last block is released. In a child, a heap whose lock another thread held may be amid a change, and is given up.

struct LateHeap {
  struct State {
    var heap: ThreadHeap?
  }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: LateHeap { @_noLocks get { LateHeap(nest_heap_pool() + 32) } }

  var lock: Lock { @_noLocks get { Lock(nest_lock(4)) } }

  /// A block of class `index`. Nil when memory is exhausted.
  @_noLocks @inline(never)
  func allocate(_ index: Int) -> UnsafeMutableRawPointer? {
    lock.lock()
    defer { lock.unlock() }
    if state.pointee.heap == nil { state.pointee.heap = HeapPool.shared.takeOrMake() }
    guard let heap = state.pointee.heap else { return nil }
    let bin = heap.bin(index)
    if bin.first.isNone { return heap.allocateSlowly(index) }
    bin.first.checkSignature()
    return bin.take()
  }

  /// Releases a block of class `index`.
  @_noLocks @inline(never)
  func release(_ block: FreeBlock, _ index: Int) {
    lock.lock()
    defer { lock.unlock() }
    guard let heap = state.pointee.heap else { return ThreadHeap.releaseWithoutHeap(block) }
    let bin = heap.bin(index)
    if bin.hasRoom { bin.put(block) } else { heap.releaseSlowly(block, index) }
  }

  @_noLocks
  func releaseFreeMemory() {
    lock.lock()
    state.pointee.heap?.releaseEmptySpans()
    lock.unlock()
  }

  /// Forgets the heap.
  @_noLocks
  func abandon() { state.pointee.heap = nil }
}

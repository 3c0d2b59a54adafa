// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// Heaps without a thread: those of threads that have ended, with the spans in which blocks are still out.
//
// A new thread takes such a heap as it is. A thread that needs a span takes over the spans of one. So what threads leave
// behind is used again before the system is asked for memory.

struct HeapPool {
  struct State: ~Copyable {
    var first: ThreadHeap?
    /// How many of the heaps have spans.
    let withSpans: Atomic<Int>
    /// How many heaps have been made.
    let made: Atomic<Int>
  }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: HeapPool { @_noLocks get { HeapPool(nest_heap_pool()) } }

  var lock: Lock {
    @_noLocks get { Lock(nest_lock(3)) }
  }

  /// Whether a heap with spans waits. Costs a load.
  var hasHeaps: Bool { @_noLocks get { state.pointee.withSpans.load(ordering: .relaxed) != 0 } }

  /// Heaps that have been made, with a thread or without.
  var heapCount: Int { @_noLocks get { state.pointee.made.load(ordering: .relaxed) } }

  @_noLocks
  func put(_ heap: ThreadHeap) {
    lock.lock()
    heap.state.pointee.nextInPool = state.pointee.first
    state.pointee.first = heap
    if heap.state.pointee.spanCount > 0 { state.pointee.withSpans.add(1, ordering: .relaxed) }
    lock.unlock()
  }

  /// A waiting heap, if there is one (that has spans, if `withSpans`).
  @_noLocks
  func take(withSpans: Bool) -> ThreadHeap? {
    lock.lock()
    defer { lock.unlock() }
    var previous: ThreadHeap?
    var candidate = state.pointee.first
    while let heap = candidate {
      candidate = heap.state.pointee.nextInPool
      if withSpans && heap.state.pointee.spanCount == 0 {
        previous = heap
        continue
      }
      if let previous { previous.state.pointee.nextInPool = candidate } else { state.pointee.first = candidate }
      if heap.state.pointee.spanCount > 0 { state.pointee.withSpans.subtract(1, ordering: .relaxed) }
      return heap
    }
    return nil
  }

  /// Gives up what the heaps that wait have, as far as it is free.
  @_noLocks
  func releaseFreeMemory() {
    var taken: ThreadHeap?
    while let heap = take(withSpans: true) {
      heap.releaseEmptySpans()
      heap.state.pointee.nextInPool = taken
      taken = heap
    }
    while let heap = taken {
      taken = heap.state.pointee.nextInPool
      put(heap)
    }
  }

  /// Counts anew what the list says, after a change that was not ended.
  @_noLocks
  func recount() {
    var withSpans = 0
    var candidate = state.pointee.first
    while let heap = candidate {
      if heap.state.pointee.spanCount > 0 { withSpans += 1 }
      candidate = heap.state.pointee.nextInPool
    }
    state.pointee.withSpans.store(withSpans, ordering: .relaxed)
  }

  /// A waiting heap, or a new one; nil when memory is exhausted.
  @_noLocks
  func takeOrMake() -> ThreadHeap? {
    if let heap = take(withSpans: false) { return heap }
    nest_initialize()
    guard let (run, _) = Pages.allocate(count: 1, align: 1, mayMap: true) else { return nil }
    let span = run.chunk.span(page: run.first)
    span.initialize(state: .heap, pageCount: 1)
    state.pointee.made.add(1, ordering: .relaxed)
    let heap = ThreadHeap(base: span.start)
    heap.initialize()
    return heap
  }
}

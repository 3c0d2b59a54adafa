// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// Pages that nobody was to touch for a while, and that the system would not make usable again, until it does.
//
// mprotect(2) can fail: where a mapping would become two and the process has as many as the system allows, or where memory that can be
// written counts against a limit. The pages go back to the system, and their addresses wait here: a list that runs through the records
// of their spans. Tried again they are by the helper, and by who gives all memory back or has none left.

struct UntouchablePages {
  struct State: ~Copyable {
    /// Where the first run begins; 0 for none. Runs are added one by one and taken out all at once, so that no lock is needed.
    let first: Atomic<UInt>
    /// How many there are.
    let count: Atomic<Int>
  }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: UntouchablePages { @_noLocks get { UntouchablePages(nest_untouchable_pages()) } }

  /// How many runs wait. Costs a load.
  var count: Int { @_noLocks get { state.pointee.count.load(ordering: .relaxed) } }

  /// Keeps a run, which is the caller's and no part of which is a span.
  @_noLocks @inline(never)
  func keep(_ run: PageRun) {
    _ = nest_purge(run.start, run.byteCount)
    insert(run)
  }

  /// Gives the page heap what the system makes usable now.
  @_noLocks @inline(never)
  func retry() {
    guard count > 0 else { return }
    var first = state.pointee.first.exchange(0, ordering: .acquiring)
    while first != 0 {
      let span = Span(containing: first)
      let run = span.run
      first = span.record.pointee.next.map { UInt(bitPattern: $0.start) } ?? 0
      state.pointee.count.subtract(1, ordering: .relaxed)
      if nest_unprotect(run.start, run.byteCount) == 0 {
        insert(run)
      } else if run.chunk.isOfClasses {
        PageHeap.ofClasses.release(run)
      } else {
        PageHeap.shared.release(run)
      }
    }
  }

  private func insert(_ run: PageRun) {
    let span = run.chunk.span(page: run.first)
    span.record.pointee.pageCount = UInt16(truncatingIfNeeded: run.count)
    state.pointee.count.add(1, ordering: .relaxed)
    var first = state.pointee.first.load(ordering: .relaxed)
    while true {
      span.record.pointee.next = first == 0 ? nil : Span(containing: first)
      let (isDone, now) = state.pointee.first.weakCompareExchange(
        expected: first, desired: UInt(bitPattern: run.start), successOrdering: .releasing, failureOrdering: .relaxed)
      if isDone { return }
      first = now
    }
  }
}

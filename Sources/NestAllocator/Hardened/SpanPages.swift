// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// Pages for a span of blocks of a class, and maybe a guard behind them.
struct SpanPages {
  let run: PageRun
  let isGuarded: Bool

  /// Nil when there are none and `mayMap` is false, or when memory is exhausted.
  @_noLocks
  static func allocate(_ index: Int, mayMap: Bool) -> SpanPages? {
    let isSeparate = nest_hardening() & UInt32(NEST_SEPARATES) != 0
    if isSeparate, let span = ReservedSpans.shared.take(index) {
      return SpanPages(run: span.run, isGuarded: span.record.pointee.isGuarded)
    }
    let wantsGuard = GuardPages.isNext()
    let count = SizeClass.pageCount(index) + (wantsGuard ? 1 : 0)
    let heap = isSeparate ? PageHeap.ofClasses : PageHeap.shared
    // A small block is one of many in its page.
    let isScattered =
      SizeClass.blockSize(index) > SizeClass.largestInTable && nest_hardening() & UInt32(NEST_SHUFFLES) != 0
    guard
      let (all, isZeroed) = isScattered
        ? Pages.allocateScattered(count: count, from: heap, mayMap: mayMap)
        : Pages.allocate(count: count, align: 1, from: heap, mayMap: mayMap)
    else { return nil }
    guard wantsGuard else { return SpanPages(run: all, isGuarded: false) }
    if GuardPages.close(all) { return SpanPages(run: all, isGuarded: true) }
    // The system refuses: the span does without.
    let run = PageRun(all.chunk, all.first, all.count - 1)
    heap.release(PageRun(run.chunk, run.end, 1), isDirty: !isZeroed)
    return SpanPages(run: run, isGuarded: false)
  }

  /// Gives them back; there has been no block in them.
  @_noLocks
  func release(_ index: Int) {
    let span = run.chunk.span(page: run.first)
    span.initialize(state: .free, pageCount: run.count)
    span.record.pointee.isGuarded = isGuarded
    span.record.pointee.sizeClass = UInt8(truncatingIfNeeded: index)
    span.releasePages()
  }

  @_noLocks
  private init(run: PageRun, isGuarded: Bool) {
    self.run = run
    self.isGuarded = isGuarded
  }
}

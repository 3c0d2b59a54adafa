// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// Pages that cannot be touched, here and there behind a span: who writes on and on, or in steps, meets one.
///
/// Such a page belongs to the span, which has one more than its class says, and is free again with it. Each divides a mapping of the
/// system's, of which a process has 65,530 at most: so there are not many.
enum GuardPages {
  /// Of so many new spans, one gets such a page, at random.
  private static var interval: UInt64 { @_noLocks get { 128 } }
  private static var most: UInt32 { @_noLocks get { 4096 } }

  /// How many pages more than its own the next span is to have: 1 or 0.
  @_noLocks
  static func next() -> Int {
    guard nest_hardening() & UInt32(NEST_GUARDS) != 0, Int(nest_page_size()) == Chunk.pageSize,
      nest_random_below(interval) == 0, nest_count_guard_pages(0) < most
    else { return 0 }
    return 1
  }

  /// Guards what a run has beyond the pages of a class, and gives its memory back.
  @_noLocks
  static func close(_ run: PageRun, _ index: Int) {
    let pages = SizeClass.pageCount(index)
    if run.count <= pages { return }
    let last = run.start + (pages << Chunk.pageShift)
    _ = nest_purge(last, Chunk.pageSize)
    _ = nest_protect(last, Chunk.pageSize)
    _ = nest_count_guard_pages(1)
  }

  /// Makes all of a run usable again. Returns false where the system refuses: then nobody can use it.
  @_noLocks
  static func open(_ run: PageRun, _ index: Int) -> Bool {
    let pages = SizeClass.pageCount(index)
    if run.count <= pages { return true }
    _ = nest_count_guard_pages(-1)
    return nest_unprotect(run.start + (pages << Chunk.pageShift), Chunk.pageSize) != 0
  }
}

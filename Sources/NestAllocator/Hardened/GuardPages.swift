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

  /// Whether the next span is to have one.
  @_noLocks
  static func isNext() -> Bool {
    nest_hardening() & UInt32(NEST_GUARDS) != 0 && Int(nest_page_size()) == Chunk.pageSize
      && nest_random_below(interval) == 0 && nest_count_guard_pages(0) < most
  }

  /// Guards the last page of a run, and gives its memory back. Returns false where the system refuses.
  @_noLocks
  static func close(_ run: PageRun) -> Bool {
    let last = run.start + (run.byteCount - Chunk.pageSize)
    guard nest_protect(last, Chunk.pageSize) != 0 else { return false }
    _ = nest_purge(last, Chunk.pageSize)
    _ = nest_count_guard_pages(1)
    return true
  }

  /// Makes all of a guarded run usable again. Where the system refuses, keeps it for later and returns false.
  @_noLocks
  static func open(_ run: PageRun) -> Bool {
    _ = nest_count_guard_pages(-1)
    if nest_unprotect(run.start + (run.byteCount - Chunk.pageSize), Chunk.pageSize) != 0 { return true }
    UntouchablePages.shared.keep(run)
    return false
  }
}

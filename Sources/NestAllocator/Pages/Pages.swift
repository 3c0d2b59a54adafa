// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// The front of the layer: runs of pages from the page heap, huge blocks, and what one does for the other.
enum Pages {
  /// Takes a run of `count` pages that begins at a multiple of `align` pages. Returns it, and whether all of it is zeros. Nil
  /// when there is none and `mayMap` is false, or when memory is exhausted.
  @_noLocks
  static func allocate(count: Int, align: Int, mayMap: Bool) -> (run: PageRun, isZeroed: Bool)? {
    allocate(count: count, align: align, from: .shared, mayMap: mayMap)
  }

  /// The same, of one of the page heaps.
  @_noLocks
  static func allocate(count: Int, align: Int, from heap: PageHeap, mayMap: Bool) -> (run: PageRun, isZeroed: Bool)? {
    if let found = heap.allocate(count: count, align: align, mayMap: false) { return found }
    guard mayMap else { return nil }
    // What is kept of huge blocks goes before more is asked for.
    HugeBlocks.shared.releaseFreeMemory(Chunk.size)
    return heap.allocate(count: count, align: align, mayMap: true)
  }

  /// The same, of pages that begin by chance, if the process shuffles its blocks: at one of 16 places, or of fewer where memory that is there
  /// already has no more room.
  @_noLocks
  static func allocateScattered(count: Int, align: Int, mayMap: Bool) -> (run: PageRun, isZeroed: Bool)? {
    guard nest_hardening() & UInt32(NEST_SHUFFLES) != 0, align == 1 else {
      return allocate(count: count, align: align, mayMap: mayMap)
    }
    return allocateScattered(count: count, from: .shared, mayMap: mayMap)
  }

  /// The same, of one of the page heaps. In that for classes, at one of 16 places unless memory is exhausted.
  @_noLocks
  static func allocateScattered(count: Int, from heap: PageHeap, mayMap: Bool) -> (run: PageRun, isZeroed: Bool)? {
    if let found = allocateScattered(count: count, places: 16, from: heap, mayMap: mayMap) { return found }
    // There, all that is free is pages that take no memory yet: more of them cost none.
    if heap.isOfClasses, !mayMap { return nil }
    return allocateScattered(count: count, places: 4, from: heap, mayMap: mayMap)
      ?? allocate(count: count, align: 1, from: heap, mayMap: mayMap)
  }

  private static func allocateScattered(count: Int, places: Int, from heap: PageHeap, mayMap: Bool)
    -> (run: PageRun, isZeroed: Bool)?
  {
    let more = places - 1
    guard let (all, isZeroed) = allocate(count: count + more, align: 1, from: heap, mayMap: mayMap) else { return nil }
    let before = Int(nest_random_below(UInt64(places)))
    if before > 0 { heap.release(PageRun(all.chunk, all.first, before), isDirty: !isZeroed) }
    let run = PageRun(all.chunk, all.first + before, count)
    if before < more { heap.release(PageRun(all.chunk, run.end, more - before), isDirty: !isZeroed) }
    return (run, isZeroed)
  }

  /// Maps a huge block of at least `size` bytes, of zeros if `zeroed`. Nil when memory is exhausted.
  @_noLocks
  static func allocateHuge(size: Int, align: Int, zeroed: Bool) -> UnsafeMutableRawPointer? {
    PageHeap.shared.releaseIdle(size)
    return HugeBlocks.shared.allocate(size: size, align: align, zeroed: zeroed)
  }

  /// Gives back what is free here, but for runs in chunks that are in use: memory or address space is short, for a block of `size` bytes.
  @_noLocks
  static func releaseAddressSpace(size: Int) {
    HugeBlocks.shared.releaseFreeMemory(Int.max)
    UntouchablePages.shared.retry()
    // Whoever asks for far too much gets none of it.
    if size <= PageHeap.ofClasses.totals.mappedBytes { ReservedSpans.shared.giveUpAll() }
    while PageHeap.ofClasses.releaseEmptyChunk() {}
    while PageHeap.shared.releaseEmptyChunk() {}
  }

  @_noLocks
  static func releaseFreeMemory() {
    HugeBlocks.shared.releaseFreeMemory(Int.max)
    UntouchablePages.shared.retry()
    PageHeap.shared.releaseFreeMemory()
    PageHeap.ofClasses.releaseFreeMemory()
    ReservedSpans.shared.releaseFreeMemory()
    while UnreturnedRanges.shared.count > 0, UnreturnedRanges.shared.retry() {}
  }
}

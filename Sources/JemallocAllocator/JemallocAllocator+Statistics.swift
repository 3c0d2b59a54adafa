// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport
import CJemalloc

extension JemallocAllocator: StatisticsReporting {
  /// jemalloc's numbers (jemalloc(3), "stats.…"), all merged anew. Blocks that wait in threads' caches are free, not live;
  /// releasable are dirty pages and muzzy ones.
  ///
  /// Takes the locks of all arenas in turn; some 50 µs for eight of them. See `StatisticsReporting.statistics`.
  public static var statistics: AllocatorStatistics {
    @_noLocks get {
      refresh()
      var statistics = AllocatorStatistics()
      let page = value("arenas.page") ?? 4096
      let cached = value("stats.arenas.4096.tcache_bytes") ?? 0
      statistics.liveBytes = value("stats.allocated").map { $0 - cached }
      statistics.activeBytes = value("stats.active")
      statistics.residentBytes = value("stats.resident")
      statistics.mappedBytes = value("stats.mapped")
      statistics.retainedBytes = value("stats.retained")
      statistics.metadataBytes = value("stats.metadata")
      // 4096 is MALLCTL_ARENAS_ALL.
      if let dirty = value("stats.arenas.4096.pdirty"), let muzzy = value("stats.arenas.4096.pmuzzy") {
        let kept = (dirty + muzzy) * page
        statistics.releasableBytes = kept
        if let active = statistics.activeBytes, let live = statistics.liveBytes {
          statistics.freeBytes = kept + active - live
        }
      }
      return statistics
    }
  }

  /// The bins of jemalloc's small sizes. Blocks in threads' caches count as live here. See
  /// `StatisticsReporting.readSizeClasses(into:capacity:)`.
  @_noLocks
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    refresh()
    // An "unsigned", of which `value` reads eight bytes.
    guard let count = value("arenas.nbins") else { return 0 }
    let filled = count < capacity ? count : capacity
    var index = 0
    while index < filled {
      let size = value("arenas.bin.0.size", at: 2, index)
      let live = value("stats.arenas.4096.bins.0.curregs", at: 4, index)
      let slabs = value("stats.arenas.4096.bins.0.curslabs", at: 4, index)
      let slabBytes = value("arenas.bin.0.slab_size", at: 2, index)
      let regions = value("arenas.bin.0.nregs", at: 2, index)
      guard let size, let live, let slabs, let slabBytes, let regions else { return index }
      classes[index] = allocator_size_class(
        block_size: Int64(size), live_blocks: Int64(live), free_blocks: Int64(slabs * regions - live),
        span_bytes: Int64(slabs * slabBytes))
      index += 1
    }
    return filled
  }

  /// Has jemalloc merge the numbers of all arenas and threads.
  @_noLocks
  private static func refresh() {
    var epoch: UInt64 = 1
    _ = mallctl(text("epoch"), nil, nil, &epoch, MemoryLayout<UInt64>.size)
  }

  /// The number of that name, a `size_t`, or less wide; nil where this jemalloc has none.
  @_noLocks
  private static func value(_ name: StaticString) -> Int? {
    var number = 0
    var size = MemoryLayout<Int>.size
    if mallctl(text(name), &number, &size, nil, 0) == 0 { return number }
    // jemalloc says how wide it is.
    return size < MemoryLayout<Int>.size && mallctl(text(name), &number, &size, nil, 0) == 0 ? number : nil
  }

  /// The number of that name with `index` in place of its component number `position`.
  @_noLocks
  private static func value(_ name: StaticString, at position: Int, _ index: Int) -> Int? {
    // Safety: no name here has more than seven components.
    var components = (0, 0, 0, 0, 0, 0, 0, 0)
    return withUnsafeMutablePointer(to: &components) { pointer in
      let path = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Int.self)
      var length = 8
      guard mallctlnametomib(text(name), path, &length) == 0 else { return nil }
      path[position] = index
      var number = 0
      var size = MemoryLayout<Int>.size
      if mallctlbymib(path, length, &number, &size, nil, 0) == 0 { return number }
      return size < MemoryLayout<Int>.size && mallctlbymib(path, length, &number, &size, nil, 0) == 0 ? number : nil
    }
  }

  @_noLocks
  private static func text(_ name: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

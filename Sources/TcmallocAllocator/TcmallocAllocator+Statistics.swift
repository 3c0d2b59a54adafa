// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CTcmalloc

extension TcmallocAllocator: StatisticsReporting {
  /// tcmalloc's numbers (gperftools' `malloc_extension.h`). Blocks that wait in threads' caches are free, not live.
  ///
  /// Takes tcmalloc's lock a few times; some µs. See `StatisticsReporting.statistics`.
  public static var statistics: AllocatorStatistics {
    @_noLocks get {
      var statistics = AllocatorStatistics()
      statistics.liveBytes = value("generic.current_allocated_bytes")
      statistics.releasableBytes = value("tcmalloc.pageheap_free_bytes")
      statistics.retainedBytes = value("tcmalloc.pageheap_unmapped_bytes")
      // The heap's size has what was given back in it.
      if let heap = value("generic.heap_size"), let retained = statistics.retainedBytes {
        statistics.mappedBytes = heap - retained
        statistics.residentBytes = heap - retained
        if let live = statistics.liveBytes { statistics.freeBytes = heap - retained - live }
      }
      return statistics
    }
  }

  @_noLocks
  private static func value(_ name: StaticString) -> Int? {
    var number = 0
    let text = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    return MallocExtension_GetNumericProperty(text, &number) != 0 ? number : nil
  }
}

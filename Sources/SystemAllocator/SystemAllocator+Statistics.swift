// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport

extension SystemAllocator: StatisticsReporting {
  /// glibc's numbers, from `malloc_info(3)`: live, mapped and free bytes, and what `malloc_trim(3)` would give back, estimated
  /// from the sizes of the free chunks. Blocks that a thread has released last (up to seven of each size below 1 KiB) count
  /// as live. After a trim, releasable bytes still hold what is no longer in memory: glibc does not remember it.
  ///
  /// Walks all free chunks, each arena's under its lock: some 10 ns for each, up to 100 when they are not in a cache. The
  /// first call allocates a stream of half a KiB, which stays. See `StatisticsReporting.statistics`.
  public static var statistics: AllocatorStatistics {
    @_noLocks get {
      var statistics = AllocatorStatistics().exported
      allocator_glibc_statistics(&statistics)
      return AllocatorStatistics(statistics)
    }
  }

  /// The sizes of which glibc keeps free chunks in a list of their own. See
  /// `StatisticsReporting.readSizeClasses(into:capacity:)`.
  @_noLocks
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    allocator_glibc_size_classes(classes, capacity)
  }
}

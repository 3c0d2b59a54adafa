// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import AllocatorABI
import CAllocatorInsight

/// The allocator that answers `malloc` in this process: the one that was linked, or a library that has come before it.
public struct ProcessAllocator: Sendable, Equatable {
  /// Its name: "glibc", "jemalloc", "nest", "tcmalloc", "mimalloc", what a linked allocator calls itself, or "unknown".
  public var name: String
  /// The path of the image that has `malloc`.
  public var image: String
  /// Its numbers; all nil where it has none that can be found.
  public var statistics: AllocatorStatistics

  /// As it is now. Costs what the allocator's `StatisticsReporting.statistics` cost.
  public static var current: ProcessAllocator {
    let allocator = insight_process_allocator()
    return ProcessAllocator(
      name: String(cString: allocator.name), image: String(cString: allocator.image), statistics: statistics)
  }

  /// The numbers of the allocator that answers `malloc`.
  static var statistics: AllocatorStatistics {
    var statistics = AllocatorStatistics().exported
    _ = insight_read_statistics(&statistics)
    return AllocatorStatistics(statistics)
  }

  /// Has it give free memory back to the system; false where it cannot. Costs what `MemoryReleasing.releaseFreeMemory()`
  /// does.
  @discardableResult
  static func releaseFreeMemory() -> Bool { insight_release_free_memory() != 0 }
}

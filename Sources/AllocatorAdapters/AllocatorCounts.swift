// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorCounters

/// What the counting allocators of this artifact have counted since the process began.
public struct AllocatorCounts: Equatable, Sendable {
  /// Blocks allocated.
  public var allocations: Int
  /// Blocks resized, moved or not.
  public var reallocations: Int
  /// Blocks released.
  public var deallocations: Int
  /// Requests that were answered with nil.
  public var failures: Int
  /// Bytes asked for, by allocations and reallocations.
  public var bytes: Int

  /// Blocks allocated and not released.
  public var liveBlocks: Int { allocations - deallocations }

  /// The counts as they are now. Each is exact; while other threads allocate, they are of slightly different moments.
  ///
  /// Allocates nothing and takes no lock.
  public static var current: AllocatorCounts {
    @_noLocks get {
      AllocatorCounts(
        allocations: allocator_counter_value(ALLOCATOR_COUNTER_ALLOCATIONS),
        reallocations: allocator_counter_value(ALLOCATOR_COUNTER_REALLOCATIONS),
        deallocations: allocator_counter_value(ALLOCATOR_COUNTER_DEALLOCATIONS),
        failures: allocator_counter_value(ALLOCATOR_COUNTER_FAILURES),
        bytes: allocator_counter_value(ALLOCATOR_COUNTER_BYTES))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorCounters
public import CAllocatorSupport

/// Counts the calls of another allocator, which does all the work.
///
/// A static type has no storage of its own in Swift, so the counts (``AllocatorCounts``) are the artifact's: two counting
/// allocators in one program, or in one preloaded library, count together. When the environment variable
/// `ALLOCATOR_COUNTS` is set, the process prints them to standard error when it ends.
///
/// Each function costs what that of `Base` costs, and one or two atomic additions, which threads contend for.
public enum CountingAllocator<Base: AllocatorABI>: NamedAllocator {
  @inlinable
  public static var allocatorName: StaticString { "counting" }

  /// Counts an allocation, its bytes, or a failure. See `AllocatorABI.allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    let block = Base.allocate(size: size, align: align)
    count(ALLOCATOR_COUNTER_ALLOCATIONS, of: size, succeeded: block != nil)
    return block
  }

  /// Counts a deallocation. See `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    allocator_counter_add(ALLOCATOR_COUNTER_DEALLOCATIONS, 1)
    Base.deallocate(pointer, oldSize: oldSize, align: align)
  }

  /// Counts a reallocation, the bytes of the new size, or a failure. See
  /// `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    let block = Base.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    count(ALLOCATOR_COUNTER_REALLOCATIONS, of: size, succeeded: block != nil)
    return block
  }

  /// Counts nothing: no block changes hands. See `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    Base.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  /// Counts nothing. See `AllocatorABI.usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    Base.usableSize(size: size, align: align)
  }

  @inlinable
  @inline(__always)
  static func count(_ counter: allocator_counter, of size: Int, succeeded: Bool) {
    if succeeded {
      allocator_counter_add(counter, 1)
      allocator_counter_add(ALLOCATOR_COUNTER_BYTES, size)
    } else {
      allocator_counter_add(ALLOCATOR_COUNTER_FAILURES, 1)
    }
  }
}

extension CountingAllocator: MemoryReleasing where Base: MemoryReleasing {
  /// Counts nothing: no block changes hands. See `MemoryReleasing.releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    Base.releaseFreeMemory()
  }
}

extension CountingAllocator: StatisticsReporting where Base: StatisticsReporting {
  /// The numbers of `Base`, and the counts. See `StatisticsReporting.statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics {
    var statistics = Base.statistics
    let counts = AllocatorCounts.current
    statistics.allocations = counts.allocations
    statistics.deallocations = counts.deallocations
    statistics.liveBlocks = counts.allocations - counts.deallocations
    return statistics
  }

  /// Those of `Base`. See `StatisticsReporting.readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    Base.readSizeClasses(into: classes, capacity: capacity)
  }
}

/// A counting allocator can do what the one that it counts can do.
extension CountingAllocator: MallocABI where Base: MallocABI {
  /// Counts a deallocation. See `MallocABI.deallocate(_:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    allocator_counter_add(ALLOCATOR_COUNTER_DEALLOCATIONS, 1)
    Base.deallocate(pointer)
  }

  /// Counts nothing. See `MallocABI.usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    Base.usableSize(of: pointer)
  }

  /// Counts an allocation, its bytes, or a failure. See `MallocABI.allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    let block = Base.allocateZeroed(size: size, align: align)
    count(ALLOCATOR_COUNTER_ALLOCATIONS, of: size, succeeded: block != nil)
    return block
  }

  /// Counts a reallocation, the bytes of the new size, or a failure. See `MallocABI.reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    let block = Base.reallocate(pointer, size: size)
    count(ALLOCATOR_COUNTER_REALLOCATIONS, of: size, succeeded: block != nil)
    return block
  }
}

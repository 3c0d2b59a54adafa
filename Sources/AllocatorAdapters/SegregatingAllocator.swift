// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport

/// Allocates small blocks from one allocator and large ones from another: up to `threshold` bytes from `Small`.
///
///     SegregatingAllocator<MyAllocator, SystemAllocator, 1024>
///
/// The five functions know a block's size, and ask nothing of the two. As the process's malloc, which has to find the allocator by
/// the pointer alone, it asks both for `MallocABI`, and `Small` to know its blocks (`OwnershipTesting`).
///
/// A block of `Small` is never used beyond the threshold, also where it holds more: its size says who has it. A block moves when it is
/// resized across the threshold.
///
/// Costs what the functions of the allocator cost that serves, and a comparison; by the pointer alone, one call of `owns`.
public enum SegregatingAllocator<Small: AllocatorABI, Large: AllocatorABI, let threshold: Int>: AllocatorABI {
  /// Asks one of the two. See `AllocatorABI/allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    size <= threshold ? Small.allocate(size: size, align: align) : Large.allocate(size: size, align: align)
  }

  /// Releases. See `AllocatorABI/deallocate(_:oldSize:align:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    oldSize <= threshold
      ? Small.deallocate(pointer, oldSize: oldSize, align: align)
      : Large.deallocate(pointer, oldSize: oldSize, align: align)
  }

  /// Resizes, by one of the two, or from one to the other. See `AllocatorABI/reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    switch (oldSize <= threshold, size <= threshold) {
    case (true, true): return Small.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    case (false, false): return Large.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    default:
      guard isValid(size: size, align: align), let moved = allocate(size: size, align: align) else { return nil }
      allocator_copy(moved, pointer, oldSize < size ? oldSize : size)
      deallocate(pointer, oldSize: oldSize, align: align)
      return moved
    }
  }

  /// Resizes where the block is, if that does not cross the threshold. See
  /// `AllocatorABI/reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    if oldSize <= threshold {
      guard size <= threshold else { return usableSize(size: oldSize, align: align) }
      return min(Small.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align), threshold)
    }
    guard size > threshold else { return usableSize(size: oldSize, align: align) }
    return Large.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  /// Asks one of the two; at most the threshold for a block of `Small`. See `AllocatorABI/usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    size <= threshold
      ? min(Small.usableSize(size: size, align: align), threshold) : Large.usableSize(size: size, align: align)
  }
}

extension SegregatingAllocator: MallocABI where Small: MallocABI & OwnershipTesting, Large: MallocABI {
  /// Releases. See `MallocABI/deallocate(_:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    Small.owns(pointer) ? Small.deallocate(pointer) : Large.deallocate(pointer)
  }

  /// Asks the allocator that has the block; at most the threshold for one of `Small`. See `MallocABI/usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    Small.owns(pointer) ? min(Small.usableSize(of: pointer), threshold) : Large.usableSize(of: pointer)
  }

  /// Asks one of the two. See `MallocABI/allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    size <= threshold
      ? Small.allocateZeroed(size: size, align: align) : Large.allocateZeroed(size: size, align: align)
  }

  /// Resizes, by one of the two, or from one to the other. See `MallocABI/reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    let isSmall = Small.owns(pointer)
    switch (isSmall, size <= threshold) {
    case (true, true): return Small.reallocate(pointer, size: size)
    case (false, false): return Large.reallocate(pointer, size: size)
    default:
      guard size >= 0, let moved = allocate(size: size, align: 16) else { return nil }
      let usable = usableSize(of: pointer)
      allocator_copy(moved, pointer, usable < size ? usable : size)
      isSmall ? Small.deallocate(pointer) : Large.deallocate(pointer)
      return moved
    }
  }
}

extension SegregatingAllocator: OwnershipTesting where Small: OwnershipTesting, Large: OwnershipTesting {
  /// See `OwnershipTesting/owns(_:)`.
  @inlinable
  public static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool {
    Small.owns(pointer) || Large.owns(pointer)
  }
}

extension SegregatingAllocator: MemoryReleasing where Small: MemoryReleasing, Large: MemoryReleasing {
  /// Has both release. See `MemoryReleasing/releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    Small.releaseFreeMemory()
    Large.releaseFreeMemory()
  }
}

extension SegregatingAllocator: StatisticsReporting where Small: StatisticsReporting, Large: StatisticsReporting {
  /// The numbers of both together. Two parts that are the same allocator below are counted twice. See
  /// `StatisticsReporting/statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics {
    AllocatorStatistics.sum(Small.statistics, Large.statistics)
  }

  /// Those of both; a size that both have stands there twice. See `StatisticsReporting/readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    let firstCount = Small.readSizeClasses(into: classes, capacity: capacity)
    let count = firstCount + Large.readSizeClasses(into: classes + firstCount, capacity: capacity - firstCount)
    AllocatorStatistics.merge(classes, count: count, firstCount: firstCount)
    return count
  }
}

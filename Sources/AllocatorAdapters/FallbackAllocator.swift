// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport

/// Allocates from one allocator, and where that has no memory, from another.
///
///     allocate ──▶ Primary ── nil ──▶ Secondary
///     release  ──▶ Primary.owns? ── yes ──▶ Primary
///                       └────────── no ───▶ Secondary
///
/// `Primary` has to know its blocks (`OwnershipTesting`), for example by the region of memory that it has; `Secondary` gets
/// every other pointer. As the process's malloc it asks both for `MallocABI`. A block moves from `Primary` to `Secondary` when it
/// grows and there is no room, and never back.
///
/// Costs what the functions of the allocator cost that serves, and of those that take a block, one call of `owns`.
public enum FallbackAllocator<Primary: OwnershipTesting, Secondary: AllocatorABI>: AllocatorABI {
  /// Asks `Primary`, then `Secondary`. See `AllocatorABI/allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    let errorNumber = allocator_error_number()
    if let block = Primary.allocate(size: size, align: align) { return block }
    // That one has failed is nobody's concern if the other does not.
    allocator_set_error_number(errorNumber)
    return Secondary.allocate(size: size, align: align)
  }

  /// Releases. See `AllocatorABI/deallocate(_:oldSize:align:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    Primary.owns(pointer)
      ? Primary.deallocate(pointer, oldSize: oldSize, align: align)
      : Secondary.deallocate(pointer, oldSize: oldSize, align: align)
  }

  /// Resizes, where the block is or to where there is room. See `AllocatorABI/reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    if !Primary.owns(pointer) {
      return Secondary.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    }
    let errorNumber = allocator_error_number()
    if let block = Primary.reallocate(pointer, oldSize: oldSize, size: size, align: align) { return block }
    allocator_set_error_number(errorNumber)
    guard let moved = Secondary.allocate(size: size, align: align) else { return nil }
    allocator_copy(moved, pointer, oldSize < size ? oldSize : size)
    Primary.deallocate(pointer, oldSize: oldSize, align: align)
    return moved
  }

  /// Resizes where the block is, if the allocator that has it can. See
  /// `AllocatorABI/reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    Primary.owns(pointer)
      ? resized(
        Primary.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align),
        shrunk: Primary.usableSize(size: size, align: align), oldSize: oldSize, size: size, align: align)
      : resized(
        Secondary.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align),
        shrunk: Secondary.usableSize(size: size, align: align), oldSize: oldSize, size: size, align: align)
  }

  /// The answer of one of the two in terms of both: the sizes that this allocator promises are the smaller ones.
  @inlinable
  static func resized(_ result: Int, shrunk: Int, oldSize: Int, size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align) else { return usableSize(size: oldSize, align: align) }
    let isDone = size > oldSize ? result >= size : result == shrunk
    // Of what the block really holds, both promise this much.
    return min(usableSize(size: isDone ? size : oldSize, align: align), result)
  }

  /// What a block holds wherever it lies. See `AllocatorABI/usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    min(Primary.usableSize(size: size, align: align), Secondary.usableSize(size: size, align: align))
  }
}

extension FallbackAllocator: MallocABI where Primary: MallocABI, Secondary: MallocABI {
  /// Releases. See `MallocABI/deallocate(_:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    Primary.owns(pointer) ? Primary.deallocate(pointer) : Secondary.deallocate(pointer)
  }

  /// Asks the allocator that has the block. See `MallocABI/usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    Primary.owns(pointer) ? Primary.usableSize(of: pointer) : Secondary.usableSize(of: pointer)
  }

  /// Asks `Primary`, then `Secondary`. See `MallocABI/allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    let errorNumber = allocator_error_number()
    if let block = Primary.allocateZeroed(size: size, align: align) { return block }
    allocator_set_error_number(errorNumber)
    return Secondary.allocateZeroed(size: size, align: align)
  }

  /// Resizes, where the block is or to where there is room. See `MallocABI/reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    if !Primary.owns(pointer) { return Secondary.reallocate(pointer, size: size) }
    let errorNumber = allocator_error_number()
    if let block = Primary.reallocate(pointer, size: size) { return block }
    allocator_set_error_number(errorNumber)
    guard let moved = Secondary.allocate(size: size, align: 16) else { return nil }
    let usable = Primary.usableSize(of: pointer)
    allocator_copy(moved, pointer, usable < size ? usable : size)
    Primary.deallocate(pointer)
    return moved
  }
}

extension FallbackAllocator: OwnershipTesting where Secondary: OwnershipTesting {
  /// See `OwnershipTesting/owns(_:)`.
  @inlinable
  public static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool {
    Primary.owns(pointer) || Secondary.owns(pointer)
  }
}

extension FallbackAllocator: MemoryReleasing where Primary: MemoryReleasing, Secondary: MemoryReleasing {
  /// Has both release. See `MemoryReleasing/releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    Primary.releaseFreeMemory()
    Secondary.releaseFreeMemory()
  }
}

extension FallbackAllocator: StatisticsReporting where Primary: StatisticsReporting, Secondary: StatisticsReporting {
  /// The numbers of both together. Two parts that are the same allocator below are counted twice. See
  /// `StatisticsReporting/statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics {
    AllocatorStatistics.sum(Primary.statistics, Secondary.statistics)
  }

  /// Those of both; a size that both have stands there twice. See `StatisticsReporting/readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    let firstCount = Primary.readSizeClasses(into: classes, capacity: capacity)
    let count = firstCount + Secondary.readSizeClasses(into: classes + firstCount, capacity: capacity - firstCount)
    AllocatorStatistics.merge(classes, count: count, firstCount: firstCount)
    return count
  }
}

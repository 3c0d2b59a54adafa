// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorLimit
public import CAllocatorSupport

/// Refuses what would take the process above a limit of bytes; another allocator does the work.
///
/// A static type has no storage of its own in Swift, so the limit (``AllocatorLimit``) is the artifact's: two limiting allocators in one
/// program share it. What counts is the usable size of each live block, which `Base` has to know by the pointer (`MallocABI`); an
/// allocator with the five functions alone has it in `HeaderedAllocator`. What `Base` keeps for later does not count.
///
/// Above the limit a request gets nil, as when memory is exhausted, and ``AllocatorLimit/takeRefusals()`` tells. A block that takes
/// more than was foreseen may take the process above the limit by the difference.
///
/// Each function costs what that of `Base` costs, one or two atomic additions, which threads contend for, and a look at the size of
/// the block.
public enum LimitingAllocator<Base: MallocABI>: MallocABI {
  /// Allocates within the limit. See `AllocatorABI/allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    let charged = Base.usableSize(size: size, align: align)
    guard allocator_limit_charge(charged) else { return nil }
    return settle(Base.allocate(size: size, align: align), charged: charged)
  }

  /// Allocates within the limit. See `MallocABI/allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    let charged = Base.usableSize(size: size, align: align)
    guard allocator_limit_charge(charged) else { return nil }
    return settle(Base.allocateZeroed(size: size, align: align), charged: charged)
  }

  /// Charges what the block takes in the place of what was foreseen; nothing where there is none.
  @inlinable
  @inline(__always)
  static func settle(_ block: UnsafeMutableRawPointer?, charged: Int) -> UnsafeMutableRawPointer? {
    guard let block else {
      allocator_limit_release(charged)
      return nil
    }
    let size = Base.usableSize(of: block)
    if size != charged { allocator_limit_release(charged - size) }
    return block
  }

  /// Releases. See `AllocatorABI/deallocate(_:oldSize:align:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    allocator_limit_release(Base.usableSize(of: pointer))
    Base.deallocate(pointer, oldSize: oldSize, align: align)
  }

  /// Releases. See `MallocABI/deallocate(_:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    allocator_limit_release(Base.usableSize(of: pointer))
    Base.deallocate(pointer)
  }

  /// Resizes: the new block has to fit the limit in the place of the old one. See
  /// `AllocatorABI/reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    let old = Base.usableSize(of: pointer)
    let growth = growth(from: old, to: Base.usableSize(size: size, align: align))
    guard growth == 0 || allocator_limit_charge(growth) else { return nil }
    return settle(
      Base.reallocate(pointer, oldSize: oldSize, size: size, align: align), old: old, charged: growth)
  }

  /// Resizes. See `MallocABI/reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    guard size >= 0 else { return nil }
    let old = Base.usableSize(of: pointer)
    let growth = growth(from: old, to: Base.usableSize(size: size, align: 16))
    guard growth == 0 || allocator_limit_charge(growth) else { return nil }
    return settle(Base.reallocate(pointer, size: size), old: old, charged: growth)
  }

  @inlinable
  @inline(__always)
  static func growth(from old: Int, to new: Int) -> Int { new > old ? new - old : 0 }

  /// Charges what the resized block takes in the place of the old one.
  @inlinable
  @inline(__always)
  static func settle(_ block: UnsafeMutableRawPointer?, old: Int, charged: Int) -> UnsafeMutableRawPointer? {
    allocator_limit_release(charged)
    guard let block else { return nil }
    allocator_limit_release(old - Base.usableSize(of: block))
    return block
  }

  /// Resizes where the block is, if `Base` can and the limit lets it. See
  /// `AllocatorABI/reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align) else { return usableSize(size: oldSize, align: align) }
    let old = Base.usableSize(of: pointer)
    let growth = growth(from: old, to: size)
    guard growth == 0 || allocator_limit_charge(growth) else { return usableSize(size: oldSize, align: align) }
    let result = Base.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
    allocator_limit_release(growth + old - Base.usableSize(of: pointer))
    return result
  }

  /// That of `Base`. See `AllocatorABI/usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    Base.usableSize(size: size, align: align)
  }

  /// That of `Base`. See `MallocABI/usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    Base.usableSize(of: pointer)
  }
}

extension LimitingAllocator: OwnershipTesting where Base: OwnershipTesting {
  /// See `OwnershipTesting/owns(_:)`.
  @inlinable
  public static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool { Base.owns(pointer) }
}

extension LimitingAllocator: MemoryReleasing where Base: MemoryReleasing {
  /// Has `Base` release: what it keeps does not count. See `MemoryReleasing/releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    Base.releaseFreeMemory()
  }
}

extension LimitingAllocator: StatisticsReporting where Base: StatisticsReporting {
  /// Those of `Base`. See `StatisticsReporting/statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics { Base.statistics }

  /// Those of `Base`. See `StatisticsReporting/readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    Base.readSizeClasses(into: classes, capacity: capacity)
  }
}

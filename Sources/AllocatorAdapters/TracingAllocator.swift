// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport
import CAllocatorTrace

/// Writes down the calls of another allocator, which does all the work.
///
///     all threads ──▶ ring buffer in shared memory ──▶ one reader, for example `allocators record`
///
/// Each call becomes a record: what was called, by which thread, with which size and alignment, and the block's address. The order of
/// the records is one in which the calls can be repeated: a release stands before any allocation that got the same address. Nothing is
/// written unless the environment variable `ALLOCATOR_TRACE` names a buffer, which `allocators record` sees to, or the program calls
/// ``AllocatorTrace/start(capacity:)``. A static type has no storage of its own in Swift, so the buffer is the artifact's.
///
/// It allocates nothing and takes no lock, so that nothing can hang: not in a signal handler, and not around a fork, whose child
/// writes nothing. Where the buffer is full because its reader is another process and is late, a call waits, for a second at most; then calls are
/// lost and counted until there is room again.
///
/// Each function costs what that of `Base` costs, and some 20 to 25 ns, twice that with times, or, while nothing is written, two loads and two
/// comparisons.
public enum TracingAllocator<Base: AllocatorABI>: NamedAllocator {
  @inlinable
  public static var allocatorName: StaticString { "tracing" }

  /// Writes down an allocation. See `AllocatorABI/allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    let block = Base.allocate(size: size, align: align)
    allocator_trace(ALLOCATOR_TRACE_ALLOCATE, block, size, align)
    return block
  }

  /// Writes down a release with its size. See `AllocatorABI/deallocate(_:oldSize:align:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    allocator_trace(ALLOCATOR_TRACE_DEALLOCATE_SIZED, pointer, oldSize, align)
    Base.deallocate(pointer, oldSize: oldSize, align: align)
  }

  /// Writes down a reallocation, before and after. See `AllocatorABI/reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    allocator_trace(ALLOCATOR_TRACE_REALLOCATE, pointer, size, align)
    let block = Base.reallocate(pointer, oldSize: oldSize, size: size, align: align)
    allocator_trace(ALLOCATOR_TRACE_REALLOCATED, block, size, align)
    return block
  }

  /// Writes it down where the block has another size then. See `AllocatorABI/reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    let result = Base.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
    if isValid(size: size, align: align) && (size > oldSize ? result >= size : result < oldSize) {
      allocator_trace(ALLOCATOR_TRACE_REALLOCATED_IN_PLACE, pointer, size, align)
    }
    return result
  }

  /// Writes nothing: no block changes hands. See `AllocatorABI/usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    Base.usableSize(size: size, align: align)
  }
}

/// A tracing allocator can do what the one that it traces can do.
extension TracingAllocator: MallocABI where Base: MallocABI {
  /// Writes down a release. See `MallocABI/deallocate(_:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    allocator_trace(ALLOCATOR_TRACE_DEALLOCATE, pointer, 0, 1)
    Base.deallocate(pointer)
  }

  /// Writes nothing. See `MallocABI/usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    Base.usableSize(of: pointer)
  }

  /// Writes down an allocation of zeros. See `MallocABI/allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    let block = Base.allocateZeroed(size: size, align: align)
    allocator_trace(ALLOCATOR_TRACE_ALLOCATE_ZEROED, block, size, align)
    return block
  }

  /// Writes down a reallocation, before and after. See `MallocABI/reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    allocator_trace(ALLOCATOR_TRACE_REALLOCATE, pointer, size, 16)
    let block = Base.reallocate(pointer, size: size)
    allocator_trace(ALLOCATOR_TRACE_REALLOCATED, block, size, 16)
    return block
  }
}

extension TracingAllocator: OwnershipTesting where Base: OwnershipTesting {
  /// Writes nothing. See `OwnershipTesting/owns(_:)`.
  @inlinable
  public static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool { Base.owns(pointer) }
}

extension TracingAllocator: MemoryReleasing where Base: MemoryReleasing {
  /// Writes nothing. See `MemoryReleasing/releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    Base.releaseFreeMemory()
  }
}

extension TracingAllocator: StatisticsReporting where Base: StatisticsReporting {
  /// Those of `Base`. See `StatisticsReporting/statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics { Base.statistics }

  /// Those of `Base`. See `StatisticsReporting/readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    Base.readSizeClasses(into: classes, capacity: capacity)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import SystemAllocator

/// All of `MallocABI`, `MemoryReleasing` and `StatisticsReporting`, over glibc's allocator. It stops the process when a block is released with a size or an alignment that
/// the block does not have, and counts the releases that say a size.
public enum SizeCheckingAllocator: MallocABI, MemoryReleasing, StatisticsReporting {
  /// Releases with a size, since the process began. Exact while one thread releases.
  @inlinable
  public static var sizedReleases: Int {
    @_noLocks get { counter.pointee }
  }

  @inlinable
  static var counter: UnsafeMutablePointer<Int> {
    @_noLocks get { allocator_storage().assumingMemoryBound(to: Int.self) }
  }

  @inlinable
  @_noLocks
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    SystemAllocator.allocate(size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    let usable = SystemAllocator.usableSize(of: pointer)
    // A block of glibc's holds less than 32 bytes more than it was asked for; an aligned one, 64; a large one, a page.
    let excess = align > 16 ? 64 : 32
    let fits = oldSize <= usable && (usable < oldSize + excess || usable >= 65536)
    if !fits || Int(bitPattern: pointer) & (align &- 1) != 0 {
      allocator_stop("deallocate", pointer, "released with a size or an alignment that the block does not have")
    }
    counter.pointee &+= 1
    SystemAllocator.deallocate(pointer)
  }

  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    SystemAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    SystemAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func usableSize(size: Int, align: Int) -> Int {
    SystemAllocator.usableSize(size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    SystemAllocator.deallocate(pointer)
  }

  @inlinable
  @_noLocks
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    SystemAllocator.usableSize(of: pointer)
  }

  @inlinable
  @_noLocks
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    SystemAllocator.allocateZeroed(size: size, align: align)
  }

  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    SystemAllocator.reallocate(pointer, size: size)
  }

  @inlinable
  @_noLocks
  public static func releaseFreeMemory() {
    SystemAllocator.releaseFreeMemory()
  }

  @inlinable
  public static var statistics: AllocatorStatistics { SystemAllocator.statistics }
}

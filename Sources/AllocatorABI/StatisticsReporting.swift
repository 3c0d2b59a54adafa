// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import CAllocatorSupport

/// Telling what memory an allocator uses, and what for.
///
/// An optional ability, as ``MemoryReleasing`` is. The shim exports it as `__swift_allocator_statistics` and
/// `__swift_allocator_size_classes`, and ``GlobalAllocator/statistics`` calls these. In an artifact that brings the malloc
/// family, `mallinfo2(3)` and its kin answer from it.
public protocol StatisticsReporting: AllocatorABI {
  /// The numbers as they are now.
  ///
  /// They are exact while no other thread allocates or releases; else each is of a slightly different moment. May be called
  /// by any thread at any time, but not in a signal handler. Allocates nothing; takes the allocator's locks for short, and may
  /// take time that grows with the number of its structures. Not for a hot path.
  static var statistics: AllocatorStatistics { get }

  /// Fills in the size classes that the allocator keeps apart, the smallest first, as many as there is room for.
  ///
  /// Costs what ``statistics`` costs.
  ///
  /// - Parameters:
  ///   - classes: memory for the classes, initialized or not.
  ///   - capacity: how many there is room for.
  /// - Returns: how many were filled in; 0 where there are none.
  static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int
}

extension StatisticsReporting {
  /// For an allocator without size classes.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    0
  }

  /// The size classes that the allocator keeps apart, the smallest first; empty where there are none.
  ///
  /// Allocates an array; not for use inside an allocator.
  public static var sizeClasses: [SizeClassStatistics] {
    let most = 512
    let exported = [allocator_size_class](unsafeUninitializedCapacity: most) { buffer, count in
      count = readSizeClasses(into: buffer.baseAddress!, capacity: most)
    }
    return exported.map(SizeClassStatistics.init)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import CAllocatorSupport

/// The allocator of this artifact, whichever was linked: the five functions through the exported symbols.
///
/// A library uses this facade and links no allocator. The final executable or dynamic library names at most one `Global…`
/// product; where none is named the functions lead to the system allocator. Artifacts of one process may have chosen
/// differently, so a block is released by the artifact that allocated it.
///
/// The contract of each function is that of the requirement of the same name in ``AllocatorABI``. Each costs one call
/// through a C symbol, and takes no lock beyond those of the allocator. The facade conforms to ``AllocatorABI``, so that
/// whatever takes an allocator can be given the one that was linked.
public enum GlobalAllocator: MemoryReleasing, StatisticsReporting {
  /// Returns `size` bytes aligned to `align`, or nil. See ``AllocatorABI/allocate(size:align:)``.
  @inlinable
  @inline(__always)
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    __rust_allocate(size, align)
  }

  /// Releases a block. See ``AllocatorABI/deallocate(_:oldSize:align:)``.
  @inlinable
  @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    __rust_deallocate(pointer, oldSize, align)
  }

  /// Resizes a block, moving it where that is needed. See ``AllocatorABI/reallocate(_:oldSize:size:align:)``.
  @inlinable
  @inline(__always)
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    __rust_reallocate(pointer, oldSize, size, align)
  }

  /// Resizes a block where it is, if that can be done. See ``AllocatorABI/reallocateInPlace(_:oldSize:size:align:)``.
  @inlinable
  @inline(__always)
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    __rust_reallocate_inplace(pointer, oldSize, size, align)
  }

  /// Returns how many bytes a block allocated with these arguments can be used for. See
  /// ``AllocatorABI/usableSize(size:align:)``.
  @inlinable
  @inline(__always)
  public static func usableSize(size: Int, align: Int) -> Int {
    __rust_usable_size(size, align)
  }

  /// Gives free memory back to the system, through whichever allocator was linked; does nothing where that one is not
  /// ``MemoryReleasing``. See ``MemoryReleasing/releaseFreeMemory()``.
  @inlinable
  @inline(__always)
  public static func releaseFreeMemory() {
    _ = __swift_release_free_memory()
  }

  /// What the allocator that was linked knows of its memory; all nil where it is not ``StatisticsReporting``. See
  /// ``StatisticsReporting/statistics``.
  public static var statistics: AllocatorStatistics {
    @_noLocks get {
      var statistics = AllocatorStatistics().exported
      _ = __swift_allocator_statistics(&statistics, MemoryLayout<allocator_statistics>.size)
      return AllocatorStatistics(statistics)
    }
  }

  /// See ``StatisticsReporting/readSizeClasses(into:capacity:)``.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    __swift_allocator_size_classes(classes, capacity)
  }

  /// The name of the allocator that answers the five functions, for logs: "system", "jemalloc", or what a linked allocator
  /// calls itself.
  ///
  /// In a build with `--sanitize=address` or `thread` the sanitizer is malloc, whichever allocator was linked, and the five
  /// functions alone lead to that: the name then is, for example, "nest (malloc: AddressSanitizer)".
  ///
  /// Allocates a string; not for use inside an allocator.
  public static var name: String {
    let name = String(cString: __swift_allocator_name())
    guard let sanitizer = allocator_sanitizer() else { return name }
    return "\(name) (malloc: \(String(cString: sanitizer)))"
  }
}

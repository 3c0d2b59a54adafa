// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import CAllocatorSupport

/// The malloc family over an allocator: what the C standard, POSIX and the man pages ask of each function, beyond memory.
///
/// Each function here is what the C function of that name does. On failure all set `errno`, except that
/// ``posixMemalign(_:alignment:size:)`` leaves it alone for an alignment that it refuses; where they succeed, and in the functions that release, `errno` is what the allocator leaves. Every block is
/// aligned to 16 bytes at least, so that `realloc` and the sized releases know an alignment that holds for all.
///
/// Costs what the allocator's function costs, and for `malloc` and `free` one test.
public enum MallocFamily<Allocator: MallocABI> {
  /// The alignment of `malloc`, in bytes: that of `max_align_t` (C17, 7.19), for all sizes, as glibc has it.
  @inlinable
  @inline(__always)
  static var naturalAlignment: Int { 16 }

  // MARK: C17, 7.22.3

  /// `malloc`: `size` bytes; for 0, a unique block. Nil and ENOMEM when memory is exhausted.
  @inlinable
  @inline(__always)
  public static func malloc(_ size: Int) -> UnsafeMutableRawPointer? {
    Allocator.allocate(size: size, align: naturalAlignment) ?? MallocFailure.outOfMemory()
  }

  /// `calloc`: `count` × `size` zeroed bytes. Nil and ENOMEM also when the product does not fit a word.
  @inlinable
  @inline(__always)
  public static func calloc(count: Int, size: Int) -> UnsafeMutableRawPointer? {
    guard let bytes = product(count, size) else { return MallocFailure.outOfMemory() }
    return Allocator.allocateZeroed(size: bytes, align: naturalAlignment) ?? MallocFailure.outOfMemory()
  }

  /// `realloc`: resizes, allocates for nil, and for size 0 releases and returns nil, as glibc does.
  @inlinable
  @inline(__always)
  public static func realloc(_ pointer: UnsafeMutableRawPointer?, size: Int) -> UnsafeMutableRawPointer? {
    guard let pointer else { return malloc(size) }
    if size == 0 {
      Allocator.deallocate(pointer)
      return nil
    }
    return Allocator.reallocate(pointer, size: size) ?? MallocFailure.outOfMemory()
  }

  /// `free`: releases; does nothing for nil.
  @inlinable
  @inline(__always)
  public static func free(_ pointer: UnsafeMutableRawPointer?) {
    Allocator.free(pointer)
  }

  /// `aligned_alloc`: `size` bytes, a multiple of the alignment or not. Nil and EINVAL for an alignment that is not a power
  /// of two.
  @inlinable
  public static func alignedAlloc(alignment: Int, size: Int) -> UnsafeMutableRawPointer? {
    // 2⁶³, negative here, is a power of two, and more than there is.
    guard alignment.nonzeroBitCount == 1 else { return MallocFailure.invalidArgument() }
    guard alignment > 0 else { return MallocFailure.outOfMemory() }
    return Allocator.allocate(size: size, align: max(alignment, naturalAlignment)) ?? MallocFailure.outOfMemory()
  }

  // MARK: C23, 7.24.3

  /// `free_sized`: releases what `malloc`, `calloc` or `realloc` returned for `size`.
  @inlinable
  @inline(__always)
  public static func freeSized(_ pointer: UnsafeMutableRawPointer?, size: Int) {
    if let pointer { Allocator.deallocate(pointer, oldSize: size, align: naturalAlignment) }
  }

  /// `free_aligned_sized`: releases what `aligned_alloc` returned for these.
  @inlinable
  @inline(__always)
  public static func freeAlignedSized(_ pointer: UnsafeMutableRawPointer?, alignment: Int, size: Int) {
    if let pointer { Allocator.deallocate(pointer, oldSize: size, align: max(alignment, naturalAlignment)) }
  }

  // MARK: POSIX.1-2017

  /// `posix_memalign`: 0, and the block in `result`; EINVAL for an alignment that is not a power of two or below the size of
  /// a pointer, ENOMEM when memory is exhausted, and then `result` is not written.
  ///
  /// POSIX leaves `errno` open. glibc's sets it to ENOMEM as well when memory is exhausted, and programs look there.
  @inlinable
  public static func posixMemalign(
    _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, alignment: Int, size: Int
  ) -> Int32 {
    guard alignment.nonzeroBitCount == 1, alignment & (MemoryLayout<Int>.size - 1) == 0 else { return EINVAL }
    // 2⁶³, negative here, is a power of two, and more than there is.
    guard alignment > 0, let block = Allocator.allocate(size: size, align: max(alignment, naturalAlignment)) else {
      _ = MallocFailure.outOfMemory()
      return ENOMEM
    }
    result.pointee = block
    return 0
  }

  // MARK: malloc(3), posix_memalign(3), malloc_usable_size(3)

  /// `reallocarray`: `realloc` to `count` × `size` bytes; nil and ENOMEM, the block untouched, when that does not fit a word.
  @inlinable
  public static func reallocarray(_ pointer: UnsafeMutableRawPointer?, count: Int, size: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let bytes = product(count, size) else { return MallocFailure.outOfMemory() }
    return realloc(pointer, size: bytes)
  }

  /// `valloc`: `size` bytes aligned to a page.
  @inlinable
  public static func valloc(_ size: Int, pageSize: Int) -> UnsafeMutableRawPointer? {
    alignedAlloc(alignment: pageSize, size: size)
  }

  /// `pvalloc`: whole pages, at least `size` bytes of them.
  @inlinable
  public static func pvalloc(_ size: Int, pageSize: Int) -> UnsafeMutableRawPointer? {
    let (padded, overflow) = size.addingReportingOverflow(pageSize - 1)
    if size < 0 || overflow { return MallocFailure.outOfMemory() }
    return alignedAlloc(alignment: pageSize, size: padded & ~(pageSize - 1))
  }

  /// `malloc_usable_size`: bytes that the block holds; 0 for nil.
  @inlinable
  @inline(__always)
  public static func usableSize(_ pointer: UnsafeMutableRawPointer?) -> Int {
    if let pointer { Allocator.usableSize(of: pointer) } else { 0 }
  }

  /// `count` × `size` as the unsigned numbers that they are in C; nil where the product does not fit a word.
  @inlinable
  @inline(__always)
  static func product(_ count: Int, _ size: Int) -> Int? {
    let (bytes, overflow) = UInt(bitPattern: count).multipliedReportingOverflow(by: UInt(bitPattern: size))
    return overflow ? nil : Int(bitPattern: bytes)
  }
}

extension AllocatorABI {
  #if DEBUG
    /// The malloc family over the five exported symbols, which are those of this allocator, with a header in front of each
    /// block.
    ///
    /// In debug builds the compiler sees one file of a module at a time, and could not specialize the adapter for a type of
    /// another file. It can call that type's functions, which the five symbols do.
    @inlinable
    @inline(__always)
    public static var mallocFamily: MallocFamily<HeaderedAllocator<GlobalAllocator>>.Type {
      MallocFamily<HeaderedAllocator<GlobalAllocator>>.self
    }
  #else
    /// The malloc family over an allocator that has only the five functions: with a header in front of each block.
    @inlinable
    @inline(__always)
    public static var mallocFamily: MallocFamily<HeaderedAllocator<Self>>.Type {
      MallocFamily<HeaderedAllocator<Self>>.self
    }
  #endif
}

extension MallocABI {
  /// The malloc family over this allocator itself.
  @inlinable
  @inline(__always)
  public static var mallocFamily: MallocFamily<Self>.Type { MallocFamily<Self>.self }
}

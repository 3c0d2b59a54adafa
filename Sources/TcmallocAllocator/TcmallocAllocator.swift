// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import CTcmalloc

/// tcmalloc of gperftools, its minimal library: without the heap profiler and checker.
///
/// It calls the library by its own names (`tc_malloc` and its kin). An artifact that links this module links
/// libtcmalloc_minimal. In an executable that library would itself take over `malloc`; the product `GlobalTcmalloc` brings the
/// malloc family of this package over it, which has what the library's lacks.
///
/// tcmalloc aligns a block to 16 bytes, but one of less than that to 8. It has no way to resize without moving, and forgets the
/// alignment of a block that it resizes.
public enum TcmallocAllocator: NamedAllocator, LibraryAllocator {
  @inlinable
  public static var allocatorName: StaticString { "tcmalloc" }

  @inlinable
  public static var librarySymbol: StaticString { "tc_malloc" }

  /// The alignment of every block of at least as many bytes, in bytes.
  @inlinable
  @inline(__always)
  static var naturalAlignment: Int { @_noLocks get { 16 } }

  /// The size to ask for: one for which the natural alignment is as large as `align`, which is at most that.
  @inlinable
  @_noLocks
  @inline(__always)
  static func request(size: Int, align: Int) -> Int {
    align > MemoryLayout<Int>.size && size < naturalAlignment ? naturalAlignment : size
  }

  /// Allocates with `tc_malloc`, or with `tc_memalign` where `align` is above 16. See `AllocatorABI.allocate(size:align:)`.
  @inlinable
  @_noLocks
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return tc_malloc(request(size: size, align: align)) }
    return tc_memalign(align, size)
  }

  /// Releases with `tc_free_sized`, which need not look the size up; where `align` is above 16, with `tc_free`, because the size
  /// class of such a block follows from more than its size. See `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable
  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    if align <= naturalAlignment {
      tc_free_sized(pointer, request(size: oldSize, align: align))
    } else {
      tc_free(pointer)
    }
  }

  /// Resizes: where the block is, if the size is of the same class; else by an allocation and a copy. See
  /// `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment {
      let usable = usableSize(size: oldSize, align: align)
      return reallocate(pointer, usable: usable, request: request(size: size, align: align))
    }
    let usable = usableSize(of: pointer)
    let fits = size <= usable
    if fits && size >= usable / 2 { return pointer }
    guard let moved = tc_memalign(align, size) else {
      // A block that is to shrink is large enough as it is.
      return fits ? pointer : nil
    }
    allocator_copy(moved, pointer, oldSize < size ? oldSize : size)
    tc_free(pointer)
    return moved
  }

  /// Resizes a block of the natural alignment. `tc_realloc` would leave a block that shrinks a little where it is, and give one that
  /// grows a little a quarter more: the size would no longer say which class the block is of, and `tc_free_sized` would put it among
  /// blocks of another size. Of blocks without a class it does not ask for the size.
  @inlinable
  @_noLocks
  static func reallocate(_ pointer: UnsafeMutableRawPointer, usable: Int, request: Int) -> UnsafeMutableRawPointer? {
    if usable > largestClass && request > largestClass { return tc_realloc(pointer, request) }
    if tc_nallocx(request, 0) == usable { return pointer }
    guard let moved = tc_malloc(request) else { return nil }
    allocator_copy(moved, pointer, usable < request ? usable : request)
    tc_free(pointer)
    return moved
  }

  /// The largest size that has a class, in bytes: `kMaxSize`. A larger block is a run of pages.
  @inlinable
  @inline(__always)
  static var largestClass: Int { @_noLocks get { 256 << 10 } }

  /// Says whether `size` fits the block as it is. See `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  @_noLocks
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    usableSize(size: oldSize, align: align)
  }

  /// Asks `tc_nallocx`; where `align` is above 16, promises `size` alone. See `AllocatorABI.usableSize(size:align:)`.
  @inlinable
  @_noLocks
  public static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align), align <= naturalAlignment else { return size }
    // A size that tcmalloc refuses comes back as it is, or wrapped around.
    return max(tc_nallocx(request(size: size, align: align), 0), size)
  }
}

/// tcmalloc as a whole malloc.
extension TcmallocAllocator: MallocABI {
  /// Releases with `tc_free`. See `MallocABI.deallocate(_:)`.
  @inlinable
  @_noLocks
  @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    tc_free(pointer)
  }

  /// Asks `tc_malloc_size`, which says 0 of all blocks until the library's constructors have run. See
  /// `MallocABI.usableSize(of:)`.
  @inlinable
  @_noLocks
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    tc_malloc_size(pointer)
  }

  /// Allocates with `tc_calloc`; where `align` is above 16, with `tc_memalign`, and fills the block with zeros. See
  /// `MallocABI.allocateZeroed(size:align:)`.
  @inlinable
  @_noLocks
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return tc_calloc(1, request(size: size, align: align)) }
    guard let block = tc_memalign(align, size) else { return nil }
    allocator_zero(block, size)
    return block
  }

  /// Resizes. See `MallocABI.reallocate(_:size:)`.
  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    guard size >= 0 else { return nil }
    let request = request(size: size, align: naturalAlignment)
    let usable = usableSize(of: pointer)
    // So early, tc_realloc knows more than it tells.
    return usable == 0 ? tc_realloc(pointer, request) : reallocate(pointer, usable: usable, request: request)
  }
}

extension TcmallocAllocator: MemoryReleasing {
  /// Hands the calling thread's cache to the central lists (`MallocExtension_MarkThreadIdle`), and gives the free pages of the
  /// page heap back (`MallocExtension_ReleaseFreeMemory`). See `MemoryReleasing.releaseFreeMemory()`.
  @inlinable
  @_noLocks
  public static func releaseFreeMemory() {
    MallocExtension_MarkThreadIdle()
    MallocExtension_ReleaseFreeMemory()
  }
}

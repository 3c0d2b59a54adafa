// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CMimalloc

/// mimalloc, the system's library of that name: version 2 (Debian has 2.0.9) or 3.
///
/// It calls the library by its own names (`mi_malloc` and its kin). An artifact that links this module links libmimalloc. In an
/// executable that library would itself take over `malloc`; the product `GlobalMimalloc` brings the malloc family of this package
/// over it, which has what the library's lacks, and passes what it gets wrong by here.
///
/// mimalloc aligns a block to 16 bytes, but one of up to 8 bytes to 8. Up to version 2.1 at least, a block whose size is a power
/// of two from 256 to 8192 bytes may be less aligned than was asked of `mi_malloc_aligned`; such a block is asked for again, a
/// byte larger. It says of no address reliably whether it is its own.
public enum MimallocAllocator: NamedAllocator, LibraryAllocator {
  @inlinable
  public static var allocatorName: StaticString { "mimalloc" }

  @inlinable
  public static var librarySymbol: StaticString { "mi_malloc" }

  /// The alignment of every block of more than 8 bytes, in bytes.
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

  @inlinable
  @_noLocks
  @inline(__always)
  static func isAligned(_ pointer: UnsafeMutableRawPointer, _ align: Int) -> Bool {
    Int(bitPattern: pointer) & (align &- 1) == 0
  }

  /// Allocates with `mi_malloc`, or with `mi_malloc_aligned` where `align` is above 16. See
  /// `AllocatorABI.allocate(size:align:)`.
  @inlinable
  @_noLocks
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return mi_malloc(request(size: size, align: align)) }
    guard let block = mi_malloc_aligned(size, align) else { return nil }
    if isAligned(block, align) { return block }
    mi_free(block)
    return mi_malloc_aligned(size + 1, align)
  }

  /// Releases with `mi_free_size_aligned`, which checks the size in the library's debug builds. See
  /// `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable
  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    mi_free_size_aligned(pointer, oldSize, align)
  }

  /// Resizes with `mi_realloc`, or with `mi_realloc_aligned` where `align` is above 16. See
  /// `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return mi_realloc(pointer, request(size: size, align: align)) }
    // Not the size itself where that is a power of two, which may come out misaligned: too late to ask again.
    return mi_realloc_aligned(pointer, size & (size &- 1) == 0 ? size + 1 : size, align)
  }

  /// Resizes with `mi_expand`, which can use all of the block, and does not shrink. See
  /// `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  @_noLocks
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    let usable = usableSize(size: oldSize, align: align)
    guard isValid(size: size, align: align), size > usable, mi_expand(pointer, size) != nil else { return usable }
    return usableSize(of: pointer)
  }

  /// Asks `mi_good_size`; where `align` is above 16, promises `size` alone, because the place of the block within a larger one
  /// decides what is left of that. See `AllocatorABI.usableSize(size:align:)`.
  @inlinable
  @_noLocks
  public static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align), align <= naturalAlignment else { return size }
    // Near the end of the address space it wraps around.
    return max(mi_good_size(request(size: size, align: align)), size)
  }
}

/// mimalloc as a whole malloc.
extension MimallocAllocator: MallocABI {
  /// Releases with `mi_free`. See `MallocABI.deallocate(_:)`.
  @inlinable
  @_noLocks
  @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    mi_free(pointer)
  }

  /// Asks `mi_usable_size`. See `MallocABI.usableSize(of:)`.
  @inlinable
  @_noLocks
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    mi_usable_size(pointer)
  }

  /// Allocates with `mi_zalloc`, or with `mi_zalloc_aligned` where `align` is above 16. See
  /// `MallocABI.allocateZeroed(size:align:)`.
  @inlinable
  @_noLocks
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return mi_zalloc(request(size: size, align: align)) }
    return mi_zalloc_aligned(size & (size &- 1) == 0 ? size + 1 : size, align)
  }

  /// Resizes with `mi_realloc`. See `MallocABI.reallocate(_:size:)`.
  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    guard size >= 0 else { return nil }
    return mi_realloc(pointer, request(size: size, align: naturalAlignment))
  }
}

extension MimallocAllocator: MemoryReleasing {
  /// Calls `mi_collect (true)`: takes what other threads have released of the calling one's, and gives that one's empty pages back,
  /// at once and not after the delay of mimalloc's option. What was empty before may still wait for its delay, which mimalloc looks
  /// at when a neighbour becomes free. See `MemoryReleasing.releaseFreeMemory()`.
  @inlinable
  @_noLocks
  public static func releaseFreeMemory() {
    mimalloc_collect_at_once()
  }
}

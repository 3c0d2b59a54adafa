// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CJemalloc

/// jemalloc, the system's library of that name.
///
/// It uses the non-standard interface of jemalloc(3), which takes sizes and alignments as the five functions do. An
/// artifact that links this module links libjemalloc. In an executable that library itself takes over `malloc` for the whole
/// process; behind a dynamic library it comes after libc in the dynamic linker's order, and `malloc` stays the program's.
public enum JemallocAllocator: NamedAllocator, LibraryAllocator {
  @inlinable
  public static var allocatorName: StaticString { "jemalloc" }

  @inlinable
  public static var librarySymbol: StaticString { "mallocx" }

  /// The alignment of every block of at least as many bytes, in bytes: jemalloc's quantum.
  @inlinable
  @inline(__always)
  static var naturalAlignment: UInt { 16 }

  /// The flags of the non-standard interface that ask for `align`: 0 where a block of `size` bytes has it anyway.
  ///
  /// A block smaller than the quantum is aligned to its size only, so a size below the alignment needs the flag as well.
  @inlinable
  @inline(__always)
  static func flags(size: Int, align: Int) -> Int32 {
    // MALLOCX_LG_ALIGN(la) is `la`. Compared without sign, a negative alignment is one that jemalloc refuses.
    let needed = UInt(bitPattern: align)
    return needed <= naturalAlignment && needed <= UInt(bitPattern: size)
      ? 0 : Int32(truncatingIfNeeded: align.trailingZeroBitCount)
  }

  /// The size to ask jemalloc for: `size`, but 1 for 0, which its non-standard interface leaves undefined; and, for an
  /// alignment that is not a power of two, a size that jemalloc refuses, as it does by itself any that is negative here.
  ///
  /// That leaves the refusal to jemalloc, and every function a straight line that ends in one jump.
  @inlinable
  @inline(__always)
  static func request(size: Int, align: Int) -> Int {
    align.nonzeroBitCount == 1 ? (size == 0 ? 1 : size) : -1
  }

  /// Allocates with `mallocx`. See `AllocatorABI.allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    mallocx(request(size: size, align: align), flags(size: size, align: align))
  }

  /// Releases with `sdallocx`, which need not look the size up. See `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    sdallocx(pointer, oldSize == 0 ? 1 : oldSize, flags(size: oldSize, align: align))
  }

  /// Resizes with `rallocx`. See `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    rallocx(pointer, request(size: size, align: align), flags(size: size, align: align))
  }

  /// Resizes with `xallocx`, which can grow (where the memory behind is free) and shrink blocks of 16 KiB and more. See
  /// `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    xallocx(pointer, request(size: size, align: align), 0, flags(size: size, align: align))
  }

  /// Asks `nallocx`. See `AllocatorABI.usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    // 0 for a size that jemalloc refuses.
    let usable = nallocx(request(size: size, align: align), flags(size: size, align: align))
    return usable == 0 ? size : usable
  }
}

extension JemallocAllocator: MemoryReleasing {
  /// Hands the blocks in the calling thread's cache to their arenas (`thread.tcache.flush`), and has every arena give its
  /// unused pages back (`arena.4096.purge`; 4096 is `MALLCTL_ARENAS_ALL`), whatever their age. Address space stays mapped
  /// where jemalloc was built to retain it, as it is on 64-bit Linux. See `MemoryReleasing.releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    // A thread may have no cache; then there is nothing to flush.
    control("thread.tcache.flush")
    control("arena.4096.purge")
  }

  /// Calls `mallctl` for something that takes and returns no value.
  @inlinable
  @inline(__always)
  static func control(_ name: StaticString) {
    _ = mallctl(UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), nil, nil, nil, 0)
  }
}

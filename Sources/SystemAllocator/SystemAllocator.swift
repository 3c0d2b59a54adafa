// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport

/// glibc's allocator.
///
/// It calls glibc's functions by the names that nothing interposes (`__libc_malloc` and its kin), so it stays glibc's
/// allocator in a process whose `malloc` another library has taken over, and it can serve as that `malloc` itself.
///
/// Every block that glibc returns is aligned to 16 bytes. A larger alignment takes `memalign`, and a resize that may move
/// such a block is an allocation, a copy and a release, because `realloc` forgets the alignment.
public enum SystemAllocator: NamedAllocator, LibraryAllocator {
  @inlinable
  public static var allocatorName: StaticString { "system" }

  /// A function of libc that no other allocator exports, as some do with `__libc_malloc`.
  @inlinable
  public static var librarySymbol: StaticString { "gnu_get_libc_version" }

  /// The alignment of every block that glibc returns, in bytes: `MALLOC_ALIGNMENT`, 2 × `sizeof (size_t)`.
  @inlinable
  @inline(__always)
  static var naturalAlignment: Int { @_noLocks get { 2 * MemoryLayout<Int>.size } }

  /// Bytes that glibc keeps in front of a block: the size word of its chunk.
  @inlinable
  @inline(__always)
  static var chunkHeaderSize: Int { @_noLocks get { MemoryLayout<Int>.size } }

  /// Bytes of the smallest chunk: four words, `MINSIZE` in glibc.
  @inlinable
  @inline(__always)
  static var smallestChunkSize: Int { @_noLocks get { 4 * MemoryLayout<Int>.size } }

  /// Allocates with `malloc`, or with `memalign` where `align` is above 16. See `AllocatorABI.allocate(size:align:)`.
  @inlinable
  @_noLocks
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return __libc_malloc(size) }
    return allocator_glibc_memalign(align, size)
  }

  /// Releases with `free`; size and alignment are not used. See `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable
  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    __libc_free(pointer)
  }

  /// Resizes with `realloc`; where `align` is above 16, in place if the block is large enough and not twice too large,
  /// else by an aligned allocation and a copy. See `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment {
      // realloc (pointer, 0) would release the block.
      return __libc_realloc(pointer, max(size, 1))
    }
    return reallocateAligned(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  @_noLocks
  static func reallocateAligned(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    // What the block really has, not what `oldSize` says: a block that shrinks step by step is to give its memory back.
    let usable = usableSize(of: pointer)
    let fits = size <= usable
    if fits && size >= usable / 2 { return pointer }
    guard let moved = allocator_glibc_memalign(align, size) else {
      // A block that is to shrink is large enough as it is.
      return fits ? pointer : nil
    }
    allocator_copy(moved, pointer, oldSize < size ? oldSize : size)
    __libc_free(pointer)
    return moved
  }

  /// Says whether `size` fits the block as it is: glibc has no function that resizes without moving. See
  /// `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  @_noLocks
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    usableSize(size: oldSize, align: align)
  }

  /// Computes what `malloc_usable_size` would at least say of such a block: the chunk (block and one word, rounded up to
  /// 16 bytes, 32 at least) less that word. See `AllocatorABI.usableSize(size:align:)`.
  ///
  /// A block that glibc maps by itself holds more, which depends on the state of the heap and is therefore not promised.
  @inlinable
  @_noLocks
  public static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align), size <= Int.max - smallestChunkSize else { return size }
    let chunkSize = (size + chunkHeaderSize + naturalAlignment - 1) & ~(naturalAlignment - 1)
    return max(chunkSize, smallestChunkSize) - chunkHeaderSize
  }
}

extension SystemAllocator: MemoryReleasing {
  /// Calls `malloc_trim(3)`: for each of glibc's arenas, under its lock, one system call for each free chunk that holds a whole
  /// page. Small blocks that a thread has released last, up to seven of each size below 1 KiB, stay with that thread, and
  /// with them their pages. See `MemoryReleasing.releaseFreeMemory()`.
  @inlinable
  @_noLocks
  public static func releaseFreeMemory() {
    allocator_glibc_trim()
  }
}

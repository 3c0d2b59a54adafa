// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport

/// glibc's allocator as a whole malloc, also in a process in which another library, or this package's shim, is `malloc`.
extension SystemAllocator: MallocABI {
  /// Releases with `free`. See `MallocABI.deallocate(_:)`.
  @inlinable
  @_noLocks
  @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    __libc_free(pointer)
  }

  /// Reads the size of the block's chunk, as `malloc_usable_size` does. See `MallocABI.usableSize(of:)`.
  ///
  /// glibc exports that function under a name that other allocators take over, and under no other. Looking glibc's own up
  /// would need the dynamic linker, which itself calls malloc before it is ready to be asked. The word in front of a block,
  /// on the other hand, has been the same since glibc took up this allocator (`malloc.c`, "struct malloc_chunk"): the size of
  /// the chunk in bytes, a multiple of 16, and flags in the low bits. A chunk that is in use holds a block and its own size
  /// word; the next chunk's first word belongs to it. One that was mapped by itself has no next, and spends two words.
  @inlinable
  @_noLocks
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    // Safety: the word in front of a live block of glibc's is the size word of its chunk.
    let sizeWord = (pointer - chunkHeaderSize).assumingMemoryBound(to: Int.self).pointee
    let isMapped = sizeWord & 2 != 0
    return sizeWord & ~7 - (isMapped ? 2 * chunkHeaderSize : chunkHeaderSize)
  }

  /// Allocates with `calloc`; where `align` is above 16, with `memalign`, and fills the block with zeros, even where memory
  /// comes zeroed from the system. See `MallocABI.allocateZeroed(size:align:)`.
  @inlinable
  @_noLocks
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    if align <= naturalAlignment { return __libc_calloc(1, size) }
    guard let block = allocator_glibc_memalign(align, size) else { return nil }
    allocator_zero(block, size)
    return block
  }

  /// Resizes with `realloc`. See `MallocABI.reallocate(_:size:)`.
  @inlinable
  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    guard size >= 0 else { return nil }
    // realloc (pointer, 0) would release the block.
    return __libc_realloc(pointer, max(size, 1))
  }
}

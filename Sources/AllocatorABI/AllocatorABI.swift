// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A memory allocator of a whole process or artifact: a type with five functions.
///
/// The requirements mirror the five entry points of Rust's first custom-allocator design (RFC 1183). They are static,
/// because a process has one allocator and there is no instance to pass to C. All sizes are in bytes, all alignments are
/// powers of two in bytes.
///
/// | requirement | exported C symbol | nearest C function |
/// | --- | --- | --- |
/// | ``allocate(size:align:)`` | `__rust_allocate` | `aligned_alloc` (C11) |
/// | ``deallocate(_:oldSize:align:)`` | `__rust_deallocate` | `free_aligned_sized` (C23) |
/// | ``reallocate(_:oldSize:size:align:)`` | `__rust_reallocate` | `realloc`, with an alignment |
/// | ``reallocateInPlace(_:oldSize:size:align:)`` | `__rust_reallocate_inplace` | none |
/// | ``usableSize(size:align:)`` | `__rust_usable_size` | `malloc_usable_size`, before the fact |
///
/// # The contract
///
/// - All five may be called by any thread at any time, also concurrently; a block may be released by another thread than
///   the one that allocated it.
/// - *Bad input* is an alignment that is not a power of two (0 included), or a negative size (above `Int.max` for a caller
///   in C). It allocates nothing, changes nothing and prints nothing.
/// - A pointer passed in was returned by the same allocator and has not been released since. `oldSize` is the size that was
///   asked for when the block was last allocated or resized, or any size between that and the usable one; `align` is the
///   alignment it was allocated with. Anything else is a programming error, which an allocator may stop with a message.
///
/// # Writing an allocator
///
/// An allocator runs where nothing may be allocated: below the Swift runtime. Its five functions, and what they call, may
/// not allocate, take a runtime lock, use classes, closures with context, existentials or lazily initialized globals. Mark
/// each of them `@_noLocks`, and the compiler checks that; without it, a debug build keeps generic code in the module which
/// asks the runtime for metadata, and so calls malloc. Mark them `@inlinable` too when the shim is in another module.
public protocol AllocatorABI {
  /// Returns `size` bytes aligned to `align`, or nil.
  ///
  /// - Parameters:
  ///   - size: bytes; 0 gives a pointer that is unique among live blocks and has to be deallocated like any other.
  ///   - align: bytes, a power of two. At least all powers of two up to 1 GiB are served.
  /// - Returns: the block, uninitialized; nil when memory is exhausted or the input is bad.
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer?

  /// Releases a block.
  ///
  /// - Parameters:
  ///   - pointer: the block.
  ///   - oldSize: bytes, from the size last asked for to the usable size.
  ///   - align: bytes, as allocated.
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int)

  /// Resizes a block, moving it where that is needed.
  ///
  /// The first `min(oldSize, size)` bytes keep their contents and the block its alignment.
  ///
  /// - Parameters:
  ///   - pointer: the block; no longer valid after success, even when the result compares equal to it.
  ///   - oldSize: bytes, from the size last asked for to the usable size.
  ///   - size: bytes, the new size; 0 as in ``allocate(size:align:)``.
  ///   - align: bytes, as allocated.
  /// - Returns: the resized block. Nil when memory is exhausted or the input is bad; the old block is then untouched and
  ///   still has to be deallocated.
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?

  /// Resizes a block where it is, if that can be done.
  ///
  /// - Parameters:
  ///   - pointer: the block, valid before and after.
  ///   - oldSize: bytes, from the size last asked for to the usable size.
  ///   - size: bytes, the new size.
  ///   - align: bytes, as allocated.
  /// - Returns: the usable size that the block now has, which is valid as its `oldSize` from then on. Growing worked if that
  ///   is at least `size`, and then `size` is valid as `oldSize` too. Shrinking worked if it is
  ///   `usableSize(size: size, align: align)`. Where it did not work, the result is
  ///   `usableSize(size: oldSize, align: align)` and nothing has changed. For bad input nothing changes either, and the
  ///   result is a size that the block has.
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int

  /// Returns how many bytes a block allocated with these arguments can be used for.
  ///
  /// A pure function of its arguments. A caller who means to fill the whole block allocates `size`, uses all of the result
  /// and may pass the result as `oldSize`.
  ///
  /// - Returns: bytes, never less than `size`; `size` itself for bad input.
  static func usableSize(size: Int, align: Int) -> Int
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport

/// A general-purpose allocator written in Swift, with the standard safety checks. See ``Nest``.
public typealias NestAllocator = Nest<StandardChecks>

/// A general-purpose allocator written in Swift.
///
///     thread ──▶ ThreadHeap ──▶ Span ◀── RemoteQueue ◀── other threads' releases
///                   │             │
///                   │ spans       │ runs of slots            blocks above 1 MiB
///                   ▼             ▼                                 │
///                HeapPool      PageHeap ──▶ Chunk                Mappings
///
/// A block of up to 64 KiB lies in a span of its size class, owned by a thread; one of up to 1 MiB is a span of its own; a
/// larger one is a mapping. Blocks have no header: a map with a byte for each 4 MiB tells chunks from other memory, and a
/// chunk has a record for each 8 KiB.
///
/// The contract is that of ``AllocatorABI`` and ``MallocABI``; any alignment up to 2⁶² that memory suffices for is served. No
/// function takes a lock on its hit path. `Checks` says which misuse is found; that ends the process with a message.
public enum Nest<Checks: SafetyChecks>: NamedAllocator, MallocABI {
  @inlinable
  public static var allocatorName: StaticString { "nest" }

  /// Allocates. See ``AllocatorABI/allocate(size:align:)``.
  @inlinable @inline(__always)
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    // Alignments up to 16 that are powers of two: every block has them.
    if UInt(bitPattern: align &- 1) < 16, align.nonzeroBitCount == 1,
      UInt(bitPattern: size) <= UInt(SizeClass.largestDirect)
    {
      let cache = ThreadHeap.current.direct[(size &+ 15) &>> 4]
      if let block = cache.state.pointee.first {
        if Checks.checksFreeBlocks { block.checkSignature() }
        cache.remove(block)
        return block.pointer
      }
    }
    return NestSlowPath.allocate(size: size, align: align)
  }

  /// Releases. The size is not needed. See ``AllocatorABI/deallocate(_:oldSize:align:)``.
  @inlinable @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    deallocate(pointer)
  }

  /// Releases. See ``MallocABI/deallocate(_:)``.
  @inlinable @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    let block = FreeBlock(pointer)
    guard nest_is_in_chunk(block.address) != 0 else { return NestSlowPath.deallocate(pointer) }
    let (span, offset) = Span.locate(block.address)
    // Not so of large blocks, of free memory, and of pointers into blocks.
    guard span.hasBlock(at: offset) else { return NestSlowPath.deallocate(pointer) }
    // Most likely a double free: the slow path looks closer.
    if Checks.checksFreeBlocks && block.isSigned { return NestSlowPath.deallocate(pointer) }
    let cache = ThreadHeap.current.cache(Int(span.record.pointee.sizeClass))
    if cache.isFull { return NestSlowPath.deallocate(pointer) }
    cache.push(block)
  }

  /// Resizes, where the block is if it is large enough and not twice too large, or can be made larger. See
  /// ``AllocatorABI/reallocate(_:oldSize:size:align:)``.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    NestSlowPath.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  /// Resizes a block of more than 64 KiB where it is, if the memory behind it is free. See
  /// ``AllocatorABI/reallocateInPlace(_:oldSize:size:align:)``.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    NestSlowPath.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  /// The size of the class, or the size in whole slots or pages. See ``AllocatorABI/usableSize(size:align:)``.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    NestSlowPath.usableSize(size: size, align: align)
  }

  /// See ``MallocABI/usableSize(of:)``.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    NestSlowPath.usableSize(of: pointer)
  }

  /// Allocates and clears; memory that is fresh from the system is not written. See ``MallocABI/allocateZeroed(size:align:)``.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if UInt(bitPattern: size) > UInt(SizeClass.largest) || align > Chunk.slotSize {
      return NestSlowPath.allocateLarge(size: size, align: align, zeroed: true)
    }
    guard let pointer = allocate(size: size, align: align) else { return nil }
    nest_zero(pointer, size)
    return pointer
  }

  /// Gives the memory that is free, but for what other threads keep for their next requests, back to the system.
  ///
  /// Costs a system call for each run of free pages, under the locks of the page heap. `malloc_trim(3)` does the like.
  public static func releaseFreeMemory() { NestSlowPath.releaseFreeMemory() }
}

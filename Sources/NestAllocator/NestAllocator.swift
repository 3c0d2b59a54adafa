// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport

/// A general-purpose allocator written in Swift, with the standard safety checks. See ``Nest``.
public typealias NestAllocator = Nest<StandardChecks>

/// A general-purpose allocator written in Swift.
///
///     thread ──▶ ThreadCache ──▶ CacheBin
///                     │    ▲  lists of blocks
///                     ▼    │
///               ProcessorHeap ──▶ Span                 blocks above 1 MiB
///                     │ runs of pages                          │
///                     ▼                                        ▼
///                 PageHeap ──▶ Chunk                       HugeBlocks
///
/// A block of up to 64 KiB lies in a span of its size class, owned by a heap; one of up to 1 MiB is a span of its own; a
/// larger one is a mapping. Blocks have no header: a map with a word for each 4 MiB tells chunks from other memory, and a
/// chunk has an entry for each 4 KiB.
///
/// The contract is that of `AllocatorABI` and `MallocABI`; any alignment up to 2⁶² that memory suffices for is served. No
/// function takes a lock on its fast path. `Checks` says which misuse is found; that ends the process with a message.
public enum Nest<Checks: SafetyChecks>: NamedAllocator, MallocABI, MemoryReleasing {
  @inlinable
  public static var allocatorName: StaticString { Checks.hardening.isNone ? "nest" : "nest-hardened" }

  /// Allocates. See `AllocatorABI.allocate(size:align:)`.
  @inlinable @inline(__always)
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if !Checks.hardening.isNone { return HardenedPath.allocate(size: size, align: align, Checks.hardening) }
    if SizeClass.isInTable(size: size, align: align) {
      let bin = ThreadCache.current.bin(size: size, align: align)
      if Checks.checksFreeBlocks ? bin.first.isSigned : !bin.first.isNone { return bin.take() }
    }
    return NestSlowPath.allocate(size: size, align: align)
  }

  /// Releases. Up to 8 KiB the size is taken at its word, and nothing is looked up. See
  /// `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    if !Checks.hardening.isNone {
      return HardenedPath.deallocate(pointer, oldSize: oldSize, align: align, Checks.hardening)
    }
    if Checks.trustsSizes, SizeClass.isInTable(size: oldSize, align: align) {
      let block = FreeBlock(pointer)
      let bin = ThreadCache.current.bin(size: oldSize, align: align)
      let room = bin.nextRoom
      if room >= 0, !(Checks.checksFreeBlocks && block.isSigned) { return bin.put(block, leaving: room) }
    }
    deallocate(pointer)
  }

  /// Releases. See `MallocABI.deallocate(_:)`.
  @inlinable @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) { free(pointer) }

  /// Releases; nil takes the slow path, which does nothing. See `MallocABI.free(_:)`.
  @inlinable @inline(__always)
  public static func free(_ pointer: UnsafeMutableRawPointer?) {
    if !Checks.hardening.isNone {
      if let pointer { HardenedPath.deallocate(pointer, Checks.hardening) }
      return
    }
    let address = UInt(bitPattern: pointer)
    if let chunk = Chunk(cachedAt: address) {
      let entry = chunk.entry(page: Chunk.page(of: address))
      let offset = entry.binOffset
      // Not so of large blocks, of free memory, and of pointers into blocks.
      if entry.pointee.hasBlock(at: address) {
        let block = FreeBlock(pointer.unsafelyUnwrapped)
        let bin = ThreadCache.current.bin(offset: offset)
        let room = bin.nextRoom
        if room >= 0, !(Checks.checksFreeBlocks && block.isSigned) { return bin.put(block, leaving: room) }
      }
    }
    NestSlowPath.deallocate(pointer)
    // With a jump as the last thing, the compiler would set up a frame at the start.
    nest_keep_call()
  }

  /// Resizes: where the block is, if the size is of the same class or the block is a large one that can be resized. See
  /// `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    Checks.hardening.isNone
      ? NestSlowPath.reallocate(pointer, oldSize: oldSize, size: size, align: align)
      : HardenedPath.reallocate(pointer, oldSize: oldSize, size: size, align: align, Checks.hardening)
  }

  /// Resizes. See `MallocABI.reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    Checks.hardening.isNone
      ? NestSlowPath.reallocate(pointer, oldSize: Int.max, size: size, align: 16)
      : HardenedPath.reallocate(pointer, oldSize: Int.max, size: size, align: 16, Checks.hardening)
  }

  /// Resizes a block of more than 64 KiB where it is, if the memory behind it is free. See
  /// `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    Checks.hardening.isNone
      ? NestSlowPath.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
      : HardenedPath.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align, Checks.hardening)
  }

  /// The size of the class, or the size in whole pages. See `AllocatorABI.usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    Checks.hardening.isNone
      ? NestSlowPath.usableSize(size: size, align: align)
      : HardenedPath.usableSize(size: size, align: align, Checks.hardening)
  }

  /// See `MallocABI.usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    Checks.hardening.isNone
      ? NestSlowPath.usableSize(of: pointer) : HardenedPath.usableSize(of: pointer, Checks.hardening)
  }

  /// Allocates and clears; memory that is fresh from the system is not written. See `MallocABI.allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if !Checks.hardening.isNone {
      return HardenedPath.allocateZeroed(size: size, align: align, Checks.hardening)
    }
    if UInt(bitPattern: size) > UInt(SizeClass.largest) || align > Chunk.pageSize {
      return NestSlowPath.allocateLarge(size: size, align: align, zeroed: true)
    }
    guard let pointer = allocate(size: size, align: align) else { return nil }
    nest_zero(pointer, size)
    return pointer
  }

  /// Has some blocks of up to 4 KiB lie on pages of their own, so that each wrong use of them is found, with the stacks of who has allocated and
  /// released them in the message: one in `interval` of those for which a thread has nothing at hand, and besides one each quarter of a
  /// second. 0 ends it. The environment variable `NEST_SAMPLE` does the same from the start on. See <doc:Hardening>.
  ///
  /// At most 64 blocks at a time. Installs a handler of SIGSEGV, and starts the thread that gives memory back, if there is none. Costs a sampled
  /// block three system calls, and some for its stacks; all others nothing.
  public static func startSampling(interval: Int = 4096) {
    nest_start_sampling(UInt32(clamping: interval))
  }

  /// Gives the memory that is free, but for what other threads keep for their next requests, back to the system: also the pages
  /// without a live block in spans that are partly used.
  ///
  /// Costs a system call for each run of free pages, and a look at each span. No lock is held over a system call. `malloc_trim(3)` does the like.
  @inlinable
  public static func releaseFreeMemory() {
    Checks.hardening.isNone ? NestSlowPath.releaseFreeMemory() : HardenedPath.releaseFreeMemory()
  }
}

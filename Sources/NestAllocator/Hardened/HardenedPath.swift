// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport

// What the functions of ``Nest`` do where its checks are those of a hardened flavour, for blocks of size classes.
//
//     malloc     take a block ▶ are all of its bytes zeros? ▶ write its tail
//     free       is it a live block? ▶ is its tail as it was written, and the size right? ▶ clear it ▶ quarantine ▶ the thread's bin
//
// Caches, heaps, spans and chunks are those of the fast flavour. A process that uses both has one set of them: a block is released by
// the flavour that has given it out, and free blocks are not expected to be zeros there, as the fast flavour does not clear them.

@usableFromInline
enum HardenedPath {
  // MARK: Allocating

  @inlinable @inline(__always) @_noLocks
  static func allocate(size: Int, align: Int, _ checks: Hardening) -> UnsafeMutableRawPointer? {
    if SizeClass.isInTable(size: size, align: align, tail: checks.tailBytes) {
      let offset = ThreadCache.current.binOffset(size: size &+ checks.tailBytes, align: align)
      let bin = ThreadCache.current.bin(offset: offset)
      if bin.first.isSigned {
        let block = checks.checksInBackground ? bin.takeMarked() : bin.take()
        return begin(block, size, nest_facts(offset / CacheBin.stride), checks)
      }
    }
    return allocateSlowly(size: size, align: align, checks)
  }

  @usableFromInline @inline(never) @_noLocks
  static func allocateZeroed(size: Int, align: Int, _ checks: Hardening) -> UnsafeMutableRawPointer? {
    if UInt(bitPattern: size) > UInt(SizeClass.largest - checks.tailBytes) || align > Chunk.pageSize {
      return HardenedLargePath.allocate(size: size, align: align, zeroed: true, checks)
    }
    guard let block = allocate(size: size, align: align, checks) else { return nil }
    // What has been found to be zeros need not be cleared.
    let zeroBytes = size <= 8 << 10 && nest_hardening() & UInt32(NEST_CLEARS) != 0 ? checks.clearedBytes(of: size) : 0
    if size > zeroBytes { nest_zero(block + zeroBytes, size - zeroBytes) }
    return block
  }

  @usableFromInline @inline(never) @_noLocks
  static func allocateSlowly(size: Int, align: Int, _ checks: Hardening) -> UnsafeMutableRawPointer? {
    if nest_hardening() & UInt32(NEST_HAS_BEGUN) == 0 { checks.begin() }
    guard size >= 0, align > 0, align & (align &- 1) == 0 else { return nil }
    guard let index = classIndex(size: size, align: align, checks) else {
      return HardenedLargePath.allocate(size: size, align: align, zeroed: false, checks)
    }
    let blockSize = SizeClass.blockSize(index)
    if nest_samples() != 0,
      let block = SampledBlocks.allocate(size: size, blockSize: blockSize, align: align, isExact: true)
    {
      return block
    }
    let block = checks.checksInBackground ? NestSlowPath.allocateMarked(index) : NestSlowPath.allocateUnsampled(index)
    return block.map { begin($0, size, nest_facts(index), checks) }
  }

  /// The class of a block of that size, with its tail; nil where it is of none.
  @_noLocks
  static func classIndex(size: Int, align: Int, _ checks: Hardening) -> Int? {
    if size > SizeClass.largest || align > Chunk.pageSize { return nil }
    let rounded = (max(size + checks.tailBytes, 1) + align - 1) & -align
    return rounded <= SizeClass.largest ? SizeClass.index(size: rounded) : nil
  }

  /// Makes a block, which has just been taken, one of `size` bytes. Where blocks are looked at in the background it is marked as one on its
  /// way, and no more when its tail is written; but before, if the tail begins in the word that marks it.
  @inlinable @inline(__always) @_noLocks
  static func begin(_ block: UnsafeMutableRawPointer, _ size: Int, _ facts: nest_class_facts, _ checks: Hardening)
    -> UnsafeMutableRawPointer
  {
    let blockSize = Int(facts.size)
    if checks.clearsReleasedBlocks, nest_hardening() & UInt32(NEST_CLEARS) != 0,
      !checks.isClear(block, facts)
    {
      BlockMisuse.dieOfWrittenBytes(block, blockSize)
    }
    // It would tell where another block is.
    nest_store(block, 0)
    if checks.checksInBackground, size < 16 { nest_store_in_order(block + 8, 0) }
    if checks.checksBytesBehind { BlockTail(block, blockSize).write(size) }
    if checks.checksInBackground, size >= 16 { nest_store_in_order(block + 8, 0) }
    return block
  }

  // MARK: Releasing

  @inlinable @inline(__always) @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, _ checks: Hardening) {
    let address = UInt(bitPattern: pointer)
    guard let chunk = Chunk(cachedAt: address) else { return deallocateUncached(pointer, checks) }
    let entry = chunk.entry(page: Chunk.page(of: address))
    guard entry.pointee.hasBlock(at: address) else { return deallocateUncached(pointer, checks) }
    deallocate(pointer, entry.binOffset / CacheBin.stride, checks)
  }

  @usableFromInline @inline(never) @_noLocks
  static func deallocateUncached(_ pointer: UnsafeMutableRawPointer, _ checks: Hardening) {
    guard let index = classIndex(of: pointer) else {
      return HardenedLargePath.deallocate(pointer, oldSize: nil, checks)
    }
    deallocate(pointer, index, checks)
  }

  @inlinable @inline(__always) @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, _ index: Int, _ checks: Hardening) {
    if FreeBlock(pointer).isSigned { Misuse.freeTwice.die(UInt(bitPattern: pointer)) }
    if checks.checksBytesBehind { _ = checkedSize(pointer, Int(nest_facts(index).size)) }
    release(pointer, index, checks)
  }

  @usableFromInline @inline(never) @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int, _ checks: Hardening) {
    guard let index = classIndex(of: pointer) else {
      return HardenedLargePath.deallocate(pointer, oldSize: oldSize, checks)
    }
    if FreeBlock(pointer).isSigned { Misuse.freeTwice.die(UInt(bitPattern: pointer)) }
    checkSize(pointer, index, oldSize: oldSize, align: align, checks)
    release(pointer, index, checks)
  }

  /// The class of the block that begins at a pointer; nil where none of a class does, as far as can be told without a lock.
  @inline(__always) @_noLocks
  private static func classIndex(of pointer: UnsafeMutableRawPointer) -> Int? {
    let address = UInt(bitPattern: pointer)
    guard let chunk = Chunk(cachedAt: address) ?? (AddressMap.isInChunk(address) ? Chunk(containing: address) : nil)
    else {
      return nil
    }
    let entry = chunk.entry(page: Chunk.page(of: address)).pointee
    return entry.hasBlock(at: address) ? entry.sizeClass : nil
  }

  /// The size that was asked for, of a live block.
  @inlinable @inline(__always) @_noLocks
  static func checkedSize(_ block: UnsafeMutableRawPointer, _ blockSize: Int) -> Int {
    guard let size = BlockTail(block, blockSize).read() else { BlockMisuse.dieOfOverflow(block, blockSize) }
    return size
  }

  /// Dies where the size that a release or resize says is not that of the block.
  @inline(__always) @_noLocks
  private static func checkSize(
    _ block: UnsafeMutableRawPointer, _ index: Int, oldSize: Int, align: Int, _ checks: Hardening
  ) {
    if checks.checksBytesBehind {
      let size = checkedSize(block, SizeClass.blockSize(index))
      if checks.checksSizes, size != oldSize { BlockMisuse.dieOfSize(block, size, said: oldSize) }
    } else if checks.checksSizes, classIndex(size: oldSize, align: align, checks) != index {
      BlockMisuse.dieOfSize(block, SizeClass.blockSize(index), said: oldSize)
    }
  }

  @inlinable @inline(__always) @_noLocks
  static func release(_ block: UnsafeMutableRawPointer, _ index: Int, _ checks: Hardening) {
    if checks.checksInBackground { FreeBlock(block).mark() }
    if checks.clearsReleasedBlocks { checks.clear(block, nest_facts(index)) }
    if checks.checksInBackground { nest_keep_order() }
    guard checks.delaysReuse, index <= Quarantine.lastClass, let quarantine = Quarantine.current else {
      return releaseSlowly(FreeBlock(block), index, checks)
    }
    guard let (old, oldIndex) = quarantine.exchange(FreeBlock(block), index) else { return }
    let bin = ThreadCache.current.bin(offset: oldIndex &* CacheBin.stride)
    if bin.hasRoom { bin.put(old) } else { releaseToFullBin(old, oldIndex) }
  }

  @usableFromInline @inline(never) @_noLocks
  static func releaseToFullBin(_ block: FreeBlock, _ index: Int) { NestSlowPath.release(block, index) }

  @usableFromInline @inline(never) @_noLocks
  static func releaseSlowly(_ block: FreeBlock, _ index: Int, _ checks: Hardening) {
    guard checks.delaysReuse, index <= Quarantine.lastClass, !ThreadCache.current.isNone, let made = Quarantine.make()
    else { return NestSlowPath.release(block, index) }
    _ = made.exchange(block, index)
  }

  // MARK: Resizing

  @usableFromInline @inline(never) @_noLocks
  static func usableSize(size: Int, align: Int, _ checks: Hardening) -> Int {
    if checks.checksBytesBehind || size < 0 || align <= 0 || align & (align &- 1) != 0 { return size }
    return classIndex(size: size, align: align, checks).map { SizeClass.blockSize($0) } ?? size
  }

  @usableFromInline @inline(never) @_noLocks
  static func usableSize(of pointer: UnsafeMutableRawPointer, _ checks: Hardening) -> Int {
    guard let index = classIndex(of: pointer) else { return HardenedLargePath.size(of: pointer) }
    if FreeBlock(pointer).isSigned { Misuse.sizeOfForeign.die(UInt(bitPattern: pointer)) }
    let blockSize = SizeClass.blockSize(index)
    return checks.checksBytesBehind ? checkedSize(pointer, blockSize) : blockSize
  }

  /// `oldSize` is `Int.max` where nobody says it.
  @usableFromInline @inline(never) @_noLocks
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int, _ checks: Hardening)
    -> UnsafeMutableRawPointer?
  {
    guard size >= 0, align > 0, align & (align &- 1) == 0 else { return nil }
    guard let index = classIndex(of: pointer) else {
      return HardenedLargePath.reallocate(pointer, oldSize: oldSize, size: size, align: align, checks)
    }
    if FreeBlock(pointer).isSigned { Misuse.resizeOfFree.die(UInt(bitPattern: pointer)) }
    let held = check(pointer, index, oldSize: oldSize, align: align, checks)
    if resize(pointer, index, held, to: size, align: align, checks) { return pointer }
    guard let moved = allocate(size: size, align: align, checks) else { return nil }
    nest_copy(moved, pointer, min(min(oldSize, held), size))
    release(pointer, index, checks)
    return moved
  }

  @usableFromInline @inline(never) @_noLocks
  static func reallocateInPlace(
    _ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int, _ checks: Hardening
  ) -> Int {
    let unchanged = usableSize(size: oldSize, align: align, checks)
    guard size >= 0, align > 0, align & (align &- 1) == 0, let index = classIndex(of: pointer) else { return unchanged }
    if FreeBlock(pointer).isSigned { Misuse.resizeOfFree.die(UInt(bitPattern: pointer)) }
    let held = check(pointer, index, oldSize: oldSize, align: align, checks)
    // What it has grown by would be valid as its size from then on, and what it was no more: few expect that.
    if size > held { return unchanged }
    return resize(pointer, index, held, to: size, align: align, checks)
      ? usableSize(size: size, align: align, checks) : unchanged
  }

  /// The size that a block has, which is the one that is said or ends the process.
  @_noLocks
  private static func check(
    _ pointer: UnsafeMutableRawPointer, _ index: Int, oldSize: Int, align: Int, _ checks: Hardening
  ) -> Int {
    if oldSize != Int.max { checkSize(pointer, index, oldSize: oldSize, align: align, checks) }
    let blockSize = SizeClass.blockSize(index)
    return checks.checksBytesBehind ? checkedSize(pointer, blockSize) : blockSize
  }

  /// Gives a block another size if that is of the same class. Returns whether it is.
  @_noLocks
  private static func resize(
    _ pointer: UnsafeMutableRawPointer, _ index: Int, _ held: Int, to size: Int, align: Int, _ checks: Hardening
  ) -> Bool {
    guard classIndex(size: size, align: align, checks) == index else { return false }
    if checks.checksBytesBehind {
      BlockTail(pointer, SizeClass.blockSize(index)).rewrite(from: held, to: size)
    }
    return true
  }

  @usableFromInline @inline(never) @_noLocks
  static func releaseFreeMemory() {
    LargeQuarantine.shared.releaseAll()
    NestSlowPath.releaseFreeMemory()
  }
}

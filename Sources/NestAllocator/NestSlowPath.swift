// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport

// What the fast paths of ``Nest`` leave: functions that are called, not inlined, and the same for all checks.

@usableFromInline
enum NestSlowPath {
  // Built with `-c release -Xswiftc -DNEST_CHECKS_INVARIANTS`, each of these functions checks the invariants when it is left, so
  // that a real program can be run with it. The fast paths check nothing.

  /// Bytes of the largest block that is a span of its own.
  static var largestSpan: Int { @_noLocks get { 1 << 20 } }

  // MARK: Allocating

  @usableFromInline @inline(never) @_noLocks
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    #if NEST_CHECKS_INVARIANTS
      defer { NestAllocator.checkInvariants() }
    #endif
    guard let rounded = rounded(size: size, align: align) else { return nil }
    guard rounded <= SizeClass.largest && align <= Chunk.pageSize else {
      return allocateLarge(size: size, align: align, zeroed: false)
    }
    let index = SizeClass.index(size: rounded)
    if nest_samples() != 0,
      let block = SampledBlocks.allocate(
        size: size, blockSize: SizeClass.blockSize(index), align: align, isExact: false)
    {
      return block
    }
    return allocateUnsampled(index)
  }

  /// A block of a class. Nil when memory is exhausted.
  @inline(__always) @_noLocks
  static func allocateUnsampled(_ index: Int) -> UnsafeMutableRawPointer? { allocateUnsampled(index, isMarked: false) }

  /// The same, and the block is one on its way: see ``FreeBlock/mark()``.
  @inline(never) @_noLocks
  static func allocateMarked(_ index: Int) -> UnsafeMutableRawPointer? { allocateUnsampled(index, isMarked: true) }

  @inline(__always) @_noLocks
  private static func allocateUnsampled(_ index: Int, isMarked: Bool) -> UnsafeMutableRawPointer? {
    if let block = allocate(class: index, isMarked: isMarked) { return block }
    reclaim(size: SizeClass.blockSize(index))
    return allocate(class: index, isMarked: isMarked) ?? exhausted()
  }

  /// Memory is short: gives up what the calling thread has at hand, and what is empty.
  @inline(never) @_noLocks
  private static func reclaim(size: Int) {
    releaseSpans()
    Pages.releaseAddressSpace(size: size)
  }

  @inline(never) @_noLocks
  private static func exhausted() -> UnsafeMutableRawPointer? {
    nest_set_exhausted()
    return nil
  }

  @inline(__always) @_noLocks
  private static func allocate(class index: Int, isMarked: Bool) -> UnsafeMutableRawPointer? {
    let cache = ThreadCache.current
    if cache.isNone { return allocateFirst(index, isMarked: isMarked) }
    let bin = cache.bin(index)
    if bin.first.isSigned { return isMarked ? bin.takeMarked() : bin.take() }
    if !bin.first.isNone { Misuse.writtenAfterFree.die(bin.first.address) }
    return isMarked ? cache.allocateMarkedSlowly(index) : cache.allocateSlowly(index)
  }

  /// The first block of a thread, or one of a thread whose cache is already gone.
  @inline(never)
  private static func allocateFirst(_ index: Int, isMarked: Bool) -> UnsafeMutableRawPointer? {
    if nest_has_ended() != 0 { return Heaps.allocate(index, isMarked: isMarked) }
    guard let cache = ThreadCache.make() else { return nil }
    return isMarked ? cache.allocateMarkedSlowly(index) : cache.allocateSlowly(index)
  }

  /// Gives back what the calling thread has at hand, and the empty spans of all heaps.
  @_noLocks
  private static func releaseSpans() {
    let cache = ThreadCache.current
    Quarantine.current?.releaseAll()
    if !cache.isNone { cache.releaseAll() }
    Heaps.releaseEmptySpans()
  }

  @usableFromInline @inline(never) @_noLocks
  static func allocateLarge(size: Int, align: Int, zeroed: Bool) -> UnsafeMutableRawPointer? {
    #if NEST_CHECKS_INVARIANTS
      defer { NestAllocator.checkInvariants() }
    #endif
    guard rounded(size: size, align: align) != nil else { return nil }
    if let block = tryAllocatingLarge(size: size, align: align, zeroed: zeroed) { return block }
    // More than any process has is no sign that memory is short.
    if size >= 1 << 45 { return exhausted() }
    reclaim(size: size)
    return tryAllocatingLarge(size: size, align: align, zeroed: zeroed) ?? exhausted()
  }

  @_noLocks
  private static func tryAllocatingLarge(size: Int, align: Int, zeroed: Bool) -> UnsafeMutableRawPointer? {
    guard isSpan(size: size, align: align) else {
      return Pages.allocateHuge(size: max(size, 1), align: align, zeroed: zeroed)
    }
    let pages = pageCount(size)
    guard let (run, isZeroed) = Pages.allocateScattered(count: pages, align: max(pageCount(align), 1), mayMap: true)
    else {
      return nil
    }
    run.chunk.span(page: run.first).initialize(state: .large, pageCount: pages)
    LargeBlocks.shared.note(blocks: 1, pages: pages)
    if !isZeroed {
      // The signature of a small block that began there, which the program need not overwrite, would travel with realloc's
      // copies, and could come back here as the beginning of a small block: that would pass for a free one.
      FreeBlock(run.start).clearSignature()
      if zeroed { nest_zero(run.start, size) }
    }
    return run.start
  }

  @_noLocks
  private static func rounded(size: Int, align: Int) -> Int? {
    guard isValid(size: size, align: align) else { return nil }
    let (padded, overflow) = max(size, 1).addingReportingOverflow(align - 1)
    return overflow ? nil : padded & -align
  }

  @_noLocks
  private static func isValid(size: Int, align: Int) -> Bool {
    size >= 0 && align > 0 && align & (align &- 1) == 0
  }

  private static func pageCount(_ size: Int) -> Int { (max(size, 1) + Chunk.pageSize - 1) >> Chunk.pageShift }

  private static func isSpan(size: Int, align: Int) -> Bool {
    size <= largestSpan && align <= largestSpan
  }

  @usableFromInline @inline(never) @_noLocks
  static func usableSize(size: Int, align: Int) -> Int {
    guard let rounded = rounded(size: size, align: align) else { return size }
    if rounded <= SizeClass.largest && align <= Chunk.pageSize {
      return SizeClass.blockSize(SizeClass.index(size: rounded))
    }
    if isSpan(size: size, align: align) { return pageCount(size) << Chunk.pageShift }
    let page = Int(nest_page_size())
    return size > Int.max - page ? size : (max(size, 1) + page - 1) & -page
  }

  // MARK: Releasing

  /// Releases a block where the fast path does not.
  @usableFromInline @inline(never) @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer?) {
    guard let pointer else { return }
    #if NEST_CHECKS_INVARIANTS
      defer { NestAllocator.checkInvariants() }
    #endif
    let block = FreeBlock(pointer)
    guard let span = span(of: block.address) else {
      if !HugeBlocks.shared.release(block.address) { Misuse.freeOfForeign.die(block.address) }
      return
    }
    switch span.record.pointee.state {
    case .blocks:
      let offset = block.address - UInt(bitPattern: span.start)
      if offset % UInt(span.blockSize) != 0 { Misuse.freeOfInterior.die(block.address) }
      if block.isSigned || span.isPurged(at: block.address) { Misuse.freeTwice.die(block.address) }
      release(block, span.sizeClass)
    case .large:
      if pointer != span.start { Misuse.freeOfInterior.die(block.address) }
      LargeBlocks.shared.note(blocks: -1, pages: -Int(span.record.pointee.pageCount))
      span.releasePages()
    case .free: (span.isInLargeBlock ? Misuse.freeOfInterior : Misuse.freeTwice).die(block.address)
    case .reserved: Misuse.freeTwice.die(block.address)
    case .cache: Misuse.freeOfForeign.die(block.address)
    case .sampled: SampledBlocks.release(block.address)
    }
  }

  @inline(__always) @_noLocks
  static func release(_ block: FreeBlock, _ index: Int) {
    var cache = ThreadCache.current
    if cache.isNone {
      // A thread that only releases is served as well as any other. But what it releases first was given to it, as likely as not
      // beside what others were given: were it to use that block again, they would write to the same cache line.
      guard nest_has_ended() == 0, nest_note_early_release() != 0, let made = ThreadCache.make() else {
        return Heaps.release(block)
      }
      cache = made
    }
    let bin = cache.bin(index)
    if bin.hasRoom { bin.put(block) } else { cache.releaseSlowly(block, index) }
  }

  /// The span in which `address` is; nil where it is in no chunk.
  private static func span(of address: UInt) -> Span? {
    guard AddressMap.isInChunk(address) else { return nil }
    guard Chunk.page(of: address) >= Chunk.firstPage else { Misuse.freeOfForeign.die(address) }
    return Span(containing: address)
  }

  // MARK: Resizing

  @usableFromInline @inline(never) @_noLocks
  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    byteCount(of: pointer, orDie: .sizeOfForeign)
  }

  @_noLocks
  private static func byteCount(of pointer: UnsafeMutableRawPointer, orDie misuse: Misuse) -> Int {
    let address = UInt(bitPattern: pointer)
    if let span = span(of: address) {
      if span.isLarge { return span.byteCount }
      if span.isSampled { return SampledBlocks.size(of: address, orDie: misuse) }
      guard span.hasBlocks, !span.isPurged(at: address) else { misuse.die(address) }
      return span.blockSize
    }
    guard let size = HugeBlocks.shared.size(of: address) else { misuse.die(address) }
    return size
  }

  /// `oldSize` may be more than the block has.
  @usableFromInline @inline(never) @_noLocks
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    #if NEST_CHECKS_INVARIANTS
      defer { NestAllocator.checkInvariants() }
    #endif
    guard isValid(size: size, align: align) else { return nil }
    if SizeClass.isInTable(size: size, align: align), let chunk = Chunk(cachedAt: UInt(bitPattern: pointer)) {
      let block = FreeBlock(pointer)
      let entry = chunk.entry(page: Chunk.page(of: block.address)).pointee
      if entry.hasBlock(at: block.address) {
        if block.isSigned { Misuse.resizeOfFree.die(block.address) }
        let index = SizeClass.index(size: max(size, 1), align: align)
        if index == entry.sizeClass { return pointer }
        guard let moved = allocate(class: index, isMarked: false) else { return nil }
        nest_copy(moved, pointer, min(min(oldSize, SizeClass.blockSize(entry.sizeClass)), size))
        release(block, entry.sizeClass)
        return moved
      }
    }
    let usable = byteCount(of: pointer, orDie: .resizeOfForeign)
    // Whoever releases the block may say its new size, and be believed: so a small block stays only in its class.
    let isLarge = usable > SizeClass.largest || align > Chunk.pageSize
    if size <= usable, isLarge ? usable - size <= usable / 8 : usableSize(size: size, align: align) == usable {
      return pointer
    }
    if isLarge {
      if resizeLarge(pointer, size: size, align: align) { return pointer }
      let inChunk = AddressMap.isInChunk(UInt(bitPattern: pointer))
      if !inChunk && size > largestSpan && align <= Int(nest_page_size()) {
        // Fails, too, where the block lies in two mappings of the system.
        if let moved = HugeBlocks.shared.resize(UInt(bitPattern: pointer), size: size, mayMove: true) { return moved }
      }
    }
    guard let moved = allocate(size: size, align: align) else { return nil }
    nest_copy(moved, pointer, min(min(oldSize, usable), size))
    deallocate(pointer)
    return moved
  }

  @usableFromInline @inline(never) @_noLocks
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    #if NEST_CHECKS_INVARIANTS
      defer { NestAllocator.checkInvariants() }
    #endif
    let unchanged = usableSize(size: oldSize, align: align)
    guard isValid(size: size, align: align) else { return unchanged }
    if size > SizeClass.largest || align > Chunk.pageSize, resizeLarge(pointer, size: size, align: align) {
      return usableSize(size: size, align: align)
    }
    return unchanged
  }

  /// Resizes a large block where it is. Returns whether that worked: never across the border of spans and mappings.
  private static func resizeLarge(_ pointer: UnsafeMutableRawPointer, size: Int, align: Int) -> Bool {
    let address = UInt(bitPattern: pointer)
    guard let span = span(of: address) else {
      guard !isSpan(size: size, align: align) else { return false }
      return HugeBlocks.shared.resize(address, size: max(size, 1), mayMove: false) != nil
    }
    guard span.isLarge, isSpan(size: size, align: align),
      size > SizeClass.largest || align > Chunk.pageSize
    else { return false }
    let (run, count) = (span.run, pageCount(size))
    LargeBlocks.shared.note(blocks: 0, pages: min(count - run.count, 0))
    if count < run.count {
      span.record.pointee.pageCount = UInt16(truncatingIfNeeded: count)
      PageHeap.shared.release(PageRun(run.chunk, run.first + count, run.count - count))
    } else if count > run.count {
      guard PageHeap.shared.extend(run, by: count - run.count) else { return false }
      LargeBlocks.shared.note(blocks: 0, pages: count - run.count)
      span.record.pointee.pageCount = UInt16(truncatingIfNeeded: count)
    }
    return true
  }

  @usableFromInline @inline(never) @_noLocks
  static func releaseFreeMemory() {
    #if NEST_CHECKS_INVARIANTS
      defer { NestAllocator.checkInvariants() }
    #endif
    releaseSpans()
    _ = Heaps.purge(from: 0, chunks: Int.max, all: true)
    Pages.releaseFreeMemory()
  }
}

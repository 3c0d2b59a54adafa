// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport

// Blocks of whole pages, of a hardened flavour.
//
//     ┌──────── … ────────┬──────────────┬─────────────────┐
//     │ asked             │ filled, left │ guard: one page │
//     └──────── … ────────┴──────────────┴─────────────────┘
//
// What was asked is kept apart from the block: of a span in its record, of a huge block in its own. Both find a write right behind it when
// it is released, and the guard finds one further behind, and each read, at once. A write right in front is found then, too, if nobody has
// used the page before: it has to be zeros. Released, none of it can be touched: a span
// until others have been released (see ``LargeQuarantine``), a huge block until its pages serve another one, at other addresses mostly.
// Only where the system's pages are those of a chunk is there a guard.

enum HardenedLargePath {
  private static var guardBytes: Int { @_noLocks get { Int(nest_page_size()) == Chunk.pageSize ? Chunk.pageSize : 0 } }

  /// Bytes behind the size that are filled, at most.
  private static var mostFilled: Int { @_noLocks get { 32 } }

  /// More than any process has.
  private static var mostBytes: Int { @_noLocks get { 1 << 46 } }

  private static func pageBytes(_ size: Int) -> Int { (max(size, 1) + Chunk.pageSize - 1) & -Chunk.pageSize }

  // MARK: Allocating

  @_noLocks
  static func allocate(size: Int, align: Int, zeroed: Bool, _ checks: Hardening) -> UnsafeMutableRawPointer? {
    if nest_hardening() & UInt32(NEST_HAS_BEGUN) == 0 { checks.begin() }
    guard size >= 0, align > 0, align & (align &- 1) == 0 else { return nil }
    let guardBytes = checks.guardsPages ? guardBytes : 0
    guard size <= mostBytes,
      let block = NestSlowPath.allocateLarge(
        size: pageBytes(size) + guardBytes, align: align, zeroed: zeroed)
    else {
      nest_set_exhausted()
      return nil
    }
    note(block, size, close(block, size, guardBytes))
    return block
  }

  /// Guards what is behind a block. Returns how many bytes that are: none where the system refuses.
  private static func close(_ block: UnsafeMutableRawPointer, _ size: Int, _ guardBytes: Int) -> Int {
    guardBytes > 0 && nest_protect(block + pageBytes(size), guardBytes) != 0 ? guardBytes : 0
  }

  /// Notes the size of a block and how many bytes are guarded, and fills what is between these.
  private static func note(_ block: UnsafeMutableRawPointer, _ size: Int, _ guardBytes: Int) {
    let address = UInt(bitPattern: block)
    if AddressMap.isInChunk(address) {
      let span = Span(containing: address)
      span.record.pointee.capacity = UInt16(truncatingIfNeeded: span.byteCount - guardBytes - size)
      span.record.pointee.carved = UInt16(truncatingIfNeeded: guardBytes)
    } else {
      HugeBlocks.shared.note(address, size: size, guardBytes: guardBytes)
    }
    let end = pageBytes(size)
    var offset = size
    let key = nest_tail_key(address) | 0x8080_8080_8080_8080
    while offset < min(end, size + mostFilled) {
      (block + offset).storeBytes(of: UInt8(truncatingIfNeeded: key >> UInt64(offset & 7 * 8)), as: UInt8.self)
      offset += 1
    }
  }

  @_noLocks
  private static func checkFilled(_ block: UnsafeMutableRawPointer, _ size: Int) {
    let key = nest_tail_key(UInt(bitPattern: block)) | 0x8080_8080_8080_8080
    var offset = size
    while offset < min(pageBytes(size), size + mostFilled) {
      if (block + offset).load(as: UInt8.self) != UInt8(truncatingIfNeeded: key >> UInt64(offset & 7 * 8)) {
        BlockMisuse.dieOfLargeOverflow(block, size)
      }
      offset += 1
    }
  }

  // MARK: What a block is

  private struct Found {
    /// Nil of a huge block.
    let span: Span?
    let size: Int
    let guardBytes: Int

    /// Dies where what is around the block is not as it was left.
    func check(_ block: UnsafeMutableRawPointer) {
      HardenedLargePath.checkFilled(block, size)
      if let span, !PageHeap.shared.isClear(before: span.run) { BlockMisuse.dieOfLargeUnderflow(block, size) }
    }

    /// Makes the guard one of the block's pages. Returns false where the system refuses.
    func open(_ block: UnsafeMutableRawPointer) -> Bool {
      guardBytes == 0 || nest_unprotect(block + HardenedLargePath.pageBytes(size), guardBytes) != 0
    }
  }

  /// The large or huge block that begins at a pointer, and is in use.
  private static func find(_ pointer: UnsafeMutableRawPointer) -> Found? {
    let address = UInt(bitPattern: pointer)
    guard AddressMap.isInChunk(address) else {
      return HugeBlocks.shared.sizes(of: address).map { Found(span: nil, size: $0.size, guardBytes: $0.guardBytes) }
    }
    guard Chunk.page(of: address) >= Chunk.firstPage else { return nil }
    let span = Span(containing: address)
    guard span.isLarge, span.start == pointer else { return nil }
    let guardBytes = Int(span.record.pointee.carved)
    return Found(
      span: span, size: span.byteCount - guardBytes - Int(span.record.pointee.capacity), guardBytes: guardBytes)
  }

  /// Whether an address is in a page of sampled blocks.
  private static func isSampled(_ pointer: UnsafeMutableRawPointer) -> Bool {
    let address = UInt(bitPattern: pointer)
    return AddressMap.isInChunk(address) && Chunk.page(of: address) >= Chunk.firstPage
      && Span(containing: address).isSampled
  }

  @_noLocks
  static func size(of pointer: UnsafeMutableRawPointer) -> Int {
    if isSampled(pointer) { return SampledBlocks.size(of: UInt(bitPattern: pointer), orDie: .sizeOfForeign) }
    guard let found = find(pointer) else { Misuse.sizeOfForeign.die(UInt(bitPattern: pointer)) }
    found.check(pointer)
    return found.size
  }

  // MARK: Releasing

  @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int?, _ checks: Hardening) {
    if isSampled(pointer) {
      if let oldSize, checks.checksSizes {
        let size = SampledBlocks.size(of: UInt(bitPattern: pointer), orDie: .freeTwice)
        if size != oldSize { BlockMisuse.dieOfSize(pointer, size, said: oldSize) }
      }
      return SampledBlocks.release(UInt(bitPattern: pointer))
    }
    // It dies, or knows better.
    guard let found = find(pointer) else { return NestSlowPath.deallocate(pointer) }
    if let oldSize, checks.checksSizes, oldSize != found.size {
      BlockMisuse.dieOfSize(pointer, found.size, said: oldSize)
    }
    found.check(pointer)
    guard let span = found.span else {
      // The allocator itself has a look at all of it.
      let isOpen = found.open(pointer)
      if !HugeBlocks.shared.release(UInt(bitPattern: pointer), protects: found.guardBytes > 0, isOpen: isOpen) {
        Misuse.freeOfForeign.die(UInt(bitPattern: pointer))
      }
      return
    }
    if found.guardBytes == 0 { return NestSlowPath.deallocate(pointer) }
    LargeBlocks.shared.note(blocks: -1, pages: -Int(span.record.pointee.pageCount))
    span.record.pointee.state = .free
    LargeQuarantine.shared.put(span)
  }

  // MARK: Resizing

  @_noLocks
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int, _ checks: Hardening)
    -> UnsafeMutableRawPointer?
  {
    let address = UInt(bitPattern: pointer)
    if isSampled(pointer) {
      return reallocateSampled(pointer, oldSize: oldSize, size: size, align: align, checks)
    }
    guard let found = find(pointer) else { Misuse.resizeOfForeign.die(address) }
    if oldSize != Int.max, checks.checksSizes, oldSize != found.size {
      BlockMisuse.dieOfSize(pointer, found.size, said: oldSize)
    }
    found.check(pointer)
    guard size <= mostBytes else {
      nest_set_exhausted()
      return nil
    }
    let isLarge = HardenedPath.classIndex(size: size, align: align, checks) == nil
    if isLarge, pageBytes(size) == pageBytes(found.size), address & UInt(bitPattern: align - 1) == 0 {
      if size > found.size { nest_zero(pointer + found.size, size - found.size) }
      note(pointer, size, found.guardBytes)
      return pointer
    }
    if found.span == nil, size > NestSlowPath.largestSpan, align <= Int(nest_page_size()), found.open(pointer) {
      let moved = HugeBlocks.shared.resize(address, size: pageBytes(size) + found.guardBytes, mayMove: true)
      if let moved {
        note(moved, size, close(moved, size, found.guardBytes))
        return moved
      }
      if found.guardBytes > 0 { _ = nest_protect(pointer + pageBytes(found.size), found.guardBytes) }
    }
    if let span = found.span, isLarge, size <= NestSlowPath.largestSpan - Chunk.pageSize,
      resize(pointer, span, found, to: size)
    {
      return pointer
    }
    guard let moved = HardenedPath.allocate(size: size, align: align, checks) else { return nil }
    nest_copy(moved, pointer, min(found.size, size))
    deallocate(pointer, oldSize: nil, checks)
    return moved
  }

  private static func reallocateSampled(
    _ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int, _ checks: Hardening
  ) -> UnsafeMutableRawPointer? {
    let held = SampledBlocks.size(of: UInt(bitPattern: pointer), orDie: .resizeOfFree)
    if oldSize != Int.max, checks.checksSizes, oldSize != held { BlockMisuse.dieOfSize(pointer, held, said: oldSize) }
    guard let moved = HardenedPath.allocate(size: size, align: align, checks) else { return nil }
    nest_copy(moved, pointer, min(held, size))
    SampledBlocks.release(UInt(bitPattern: pointer))
    return moved
  }

  /// Resizes a span where it is, if the pages behind it are free. Returns whether they were.
  private static func resize(_ pointer: UnsafeMutableRawPointer, _ span: Span, _ found: Found, to size: Int) -> Bool {
    let (run, pages) = (span.run, (pageBytes(size) + found.guardBytes) >> Chunk.pageShift)
    if pages > run.count, !PageHeap.shared.extend(run, by: pages - run.count) { return false }
    guard found.open(pointer) else {
      if pages > run.count { PageHeap.shared.release(PageRun(run.chunk, run.end, pages - run.count)) }
      return false
    }
    LargeBlocks.shared.note(blocks: 0, pages: pages - run.count)
    span.record.pointee.pageCount = UInt16(truncatingIfNeeded: pages)
    if size > found.size { nest_zero(pointer + found.size, min(pageBytes(found.size), size) - found.size) }
    note(pointer, size, close(pointer, size, found.guardBytes))
    if pages < run.count { PageHeap.shared.release(PageRun(run.chunk, run.first + pages, run.count - pages)) }
    return true
  }
}

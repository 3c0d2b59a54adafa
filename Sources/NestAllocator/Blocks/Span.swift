// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A span: a run of pages in a chunk, cut into blocks of one size class, or one large block, or a thread's cache; or a page of sampled blocks.
//
// A heap owns each span of blocks, for as long as there are blocks: all that changes in it changes under that heap's lock.
// Blocks are cut from the span ("carved") as they are needed, so that its pages are touched one after the other. A page in
// which no block is used may be given back to the system (it is *purged* then); blocks that overlap such a page are on no
// list until the page is wanted again.

@usableFromInline
struct Span {
  @usableFromInline
  enum State {
    case free, blocks, large, cache, sampled, reserved
  }

  @usableFromInline
  struct Record: ~Copyable {
    /// Free blocks.
    var free: FreeBlock
    /// Neighbours in a list of the heap's.
    var next: Span?
    var previous: Span?
    /// The number of the heap, from 1; 0 where none owns the span. Read by all who have a block of it.
    let owner: Atomic<UInt16>
    /// Blocks that are with a thread: live, or in its cache.
    var used: UInt16
    /// Blocks that the span has room for, and those of them that have been carved.
    var capacity: UInt16
    var carved: UInt16
    /// Pages of the span.
    var pageCount: UInt16
    /// A bit for each of the first 16 pages: whether it is purged.
    var purgedPages: UInt16
    /// Carved blocks that overlap purged pages.
    var purgedBlocks: UInt16
    var sizeClass: UInt8
    /// Written where the span is made and unmade, read by all who have a block of it.
    var state: State
    /// The number of used blocks at which something has to be done: none where the span is in a list, some where it is in none,
    /// since it has nothing to take; ``never`` where it stays as it is, since pages of it are on their way to the system.
    var trigger: UInt16
    /// Whether the span is in a list of the heap's.
    var isListed: Bool
    /// Whether the last page is a guard: see GuardPages.
    var isGuarded: Bool
    /// How many blocks were used when the purger looked last, and whether there was nothing that it could give back.
    var usedThen: UInt16
  }

  let record: UnsafeMutablePointer<Record>

  @_noLocks
  init(_ record: UnsafeMutablePointer<Record>) { self.record = record }

  /// The span of which the page at `address`, in a chunk, is a part, or one that begins there.
  @_noLocks
  init(containing address: UInt) {
    let chunk = Chunk(containing: address)
    let page = Chunk.page(of: address)
    let entry = chunk.entry(page: page)
    self = chunk.span(page: entry.pointee.reciprocal == 0 ? page : Int(entry.pointee.firstPage))
  }

  @_noLocks
  static func == (a: Span, b: Span) -> Bool { a.record == b.record }

  var address: UInt { @_noLocks get { UInt(bitPattern: record) } }

  var chunk: Chunk { @_noLocks get { Chunk(containing: address) } }

  var firstPage: Int {
    @_noLocks get {
      (Int(bitPattern: address & UInt(Chunk.size - 1)) - Chunk.recordsOffset) / Chunk.recordSize
    }
  }

  /// Where the span's blocks begin.
  var start: UnsafeMutableRawPointer { @_noLocks get { chunk.address(page: firstPage) } }

  var byteCount: Int { @_noLocks get { Int(record.pointee.pageCount) << Chunk.pageShift } }

  /// The number of the heap that owns the span, from 1; 0 for none.
  var owner: Int { @_noLocks get { Int(record.pointee.owner.load(ordering: .relaxed)) } }

  var sizeClass: Int { @_noLocks get { Int(record.pointee.sizeClass) } }

  /// Bytes.
  var blockSize: Int { @_noLocks get { SizeClass.blockSize(sizeClass) } }

  /// Whether the span is one block.
  var isLarge: Bool {
    @_noLocks get { if case .large = record.pointee.state { true } else { false } }
  }

  /// Whether this is a page of sampled blocks, or between two of them.
  var isSampled: Bool {
    @_noLocks get { if case .sampled = record.pointee.state { true } else { false } }
  }

  /// Whether the span is cut into blocks of a class.
  var hasBlocks: Bool {
    @_noLocks get { if case .blocks = record.pointee.state { true } else { false } }
  }

  /// Whether there are blocks that have never been handed out, or that overlap purged pages.
  var isCarvable: Bool { @_noLocks get { isUncarved || record.pointee.purgedPages != 0 } }

  private var isUncarved: Bool { @_noLocks get { record.pointee.carved < record.pointee.capacity } }

  var hasFreeBlock: Bool { @_noLocks get { !record.pointee.free.isNone } }

  /// Blocks on the free list.
  var freeCount: Int {
    @_noLocks get {
      Int(record.pointee.carved) - Int(record.pointee.used) - Int(record.pointee.purgedBlocks)
    }
  }

  /// Bytes of the pages in which blocks have been carved, and that are not purged.
  var touchedBytes: Int {
    @_noLocks get {
      let pages = (Int(record.pointee.carved) * blockSize + Chunk.pageSize - 1) >> Chunk.pageShift
      return (pages - record.pointee.purgedPages.nonzeroBitCount) << Chunk.pageShift
    }
  }

  /// Whether the span is small enough to be kept by its heap when it is empty.
  var mayStayEmpty: Bool { @_noLocks get { record.pointee.pageCount <= 33 } }

  /// Makes the run of pages that begins at this record a span that is not cut into blocks.
  @_noLocks
  func initialize(state: State, pageCount: Int) {
    record.pointee.free = FreeBlock.none
    record.pointee.next = nil
    record.pointee.previous = nil
    record.pointee.owner.store(0, ordering: .relaxed)
    record.pointee.used = 0
    record.pointee.capacity = 0
    record.pointee.carved = 0
    record.pointee.pageCount = UInt16(truncatingIfNeeded: pageCount)
    record.pointee.purgedPages = 0
    record.pointee.purgedBlocks = 0
    record.pointee.sizeClass = 0
    record.pointee.trigger = 0
    record.pointee.isListed = false
    record.pointee.isGuarded = false
    record.pointee.usedThen = .max
    // Last: who walks over blocks meanwhile takes a span that is a large block for whole.
    atomicMemoryFence(ordering: .releasing)
    record.pointee.state = state
  }

  /// Makes it one of blocks of a class, all of them uncarved. The entries of its pages are those of none.
  @_noLocks
  func initialize(sizeClass: Int, pageCount: Int, isGuarded: Bool, owner: Int) {
    initialize(state: .blocks, pageCount: pageCount)
    record.pointee.isGuarded = isGuarded
    let size = SizeClass.blockSize(sizeClass)
    record.pointee.sizeClass = UInt8(truncatingIfNeeded: sizeClass)
    record.pointee.capacity = UInt16(truncatingIfNeeded: blockPageCount * Chunk.pageSize / size)
    // Last: a child that fork makes meanwhile takes a span that has an owner for whole.
    record.pointee.owner.store(UInt16(truncatingIfNeeded: owner), ordering: .releasing)
  }

  /// The pages in which the span's blocks are: all but a guard.
  private var blockPageCount: Int {
    @_noLocks get { Int(record.pointee.pageCount) - (record.pointee.isGuarded ? 1 : 0) }
  }

  /// The pages of the span.
  var run: PageRun {
    @_noLocks get { PageRun(chunk, firstPage, Int(record.pointee.pageCount)) }
  }

  /// Gives the span's pages to the page heap, or keeps them for others of its class.
  @_noLocks
  func releasePages() {
    if chunk.isOfClasses {
      clear()
      return ReservedSpans.shared.put(self)
    }
    let (run, isOpen) = (run, !record.pointee.isGuarded || GuardPages.open(run))
    clear()
    if isOpen { PageHeap.shared.release(run) }
  }

  /// Makes the record one of no span, and so the entries of its pages.
  @_noLocks
  func clear() {
    if hasBlocks { setEntries(from: 0, to: Int(record.pointee.pageCount), Chunk.Entry.none) }
    record.pointee.state = .free
    record.pointee.owner.store(0, ordering: .relaxed)
  }

  private func setEntries(from first: Int, to end: Int, _ entry: Chunk.Entry) {
    let entries = chunk.entry(page: firstPage)
    for index in first..<max(first, end) { entries[index] = entry }
  }

  /// Added to the number of used blocks that the purger remembers, when it has looked.
  static var isLookedAt: UInt16 { @_noLocks get { 1 << 15 } }

  /// The trigger of a span that stays as it is: as many blocks no span has.
  static var never: UInt16 { @_noLocks get { .max } }

  /// The trigger of a span that has nothing to take: it is listed again only when a sixteenth of it is free, not for each block
  /// anew.
  var relistCount: UInt16 {
    @_noLocks get {
      let capacity = record.pointee.capacity
      return capacity - (capacity > 31 ? capacity / 16 : 1)
    }
  }

  // MARK: Blocks, under the lock of the heap

  /// Puts blocks on the free list, which is empty: new ones, or those of purged pages. There is something to carve.
  @_noLocks
  func carve() { if isUncarved { carveNew() } else { carvePurged() } }

  /// Puts the new blocks that begin in the next page on the free list; where they are shuffled, of pages in which 16 begin.
  ///
  /// The entries of pages say that there are blocks only from then on: a pointer to one that was never handed out is none.
  private func carveNew() {
    let size = blockSize
    let first = Int(record.pointee.carved)
    let page = (first * size) >> Chunk.pageShift
    let isShuffled = nest_hardening() & UInt32(NEST_SHUFFLES) != 0
    let lastPage = isShuffled ? ((first + 15) * size) >> Chunk.pageShift : page
    let inPage = ((lastPage + 1) << Chunk.pageShift) - first * size
    let count = min((inPage + size - 1) / size, Int(record.pointee.capacity) - first)
    record.pointee.carved = UInt16(truncatingIfNeeded: first + count)
    let end = isUncarved ? ((first + count) * size) >> Chunk.pageShift : blockPageCount
    setEntries(from: page, to: end, Chunk.Entry(start: start, sizeClass: sizeClass))
    if nest_hardening() != 0 { return linkHardened(first, count) }
    var block = FreeBlock(start + (first + count - 1) * size)
    block.link(to: FreeBlock.none)
    for _ in 1..<max(count, 1) {
      let previous = FreeBlock(block.pointer - size)
      previous.link(to: block)
      block = previous
    }
    record.pointee.free = block
  }

  /// Takes the first purged page into use again, and more until a block is whole.
  private func carvePurged() {
    while record.pointee.purgedPages != 0, record.pointee.free.isNone {
      let page = record.pointee.purgedPages.trailingZeroBitCount
      record.pointee.purgedPages &= record.pointee.purgedPages &- 1
      setEntries(from: page, to: page + 1, Chunk.Entry(start: start, sizeClass: sizeClass))
      let size = blockSize
      var index = (page << Chunk.pageShift) / size
      while index < Int(record.pointee.carved), index * size < ((page + 1) << Chunk.pageShift) {
        if !isPurged(block: index) {
          let block = FreeBlock(start + index * size)
          block.link(to: record.pointee.free)
          record.pointee.free = block
          record.pointee.purgedBlocks -= 1
        }
        index += 1
      }
    }
  }

  /// Whether a block overlaps a purged page.
  @_noLocks
  func isPurged(block index: Int) -> Bool {
    let first = (index * blockSize) >> Chunk.pageShift
    let last = ((index + 1) * blockSize - 1) >> Chunk.pageShift
    return (Int(record.pointee.purgedPages) >> first) & ((2 << (last - first)) - 1) != 0
  }

  /// Takes up to `most` blocks off the free list, and returns the first and how many there are.
  @_noLocks
  func takeFreeBlocks(_ most: Int) -> (first: FreeBlock, count: Int) {
    let first = record.pointee.free
    var count = freeCount
    if count <= most {
      record.pointee.free = FreeBlock.none
    } else {
      count = most
      var last = first
      var left = most - 1
      while left > 0 {
        last.checkSignature()
        last = last.next
        left -= 1
      }
      last.checkSignature()
      record.pointee.free = last.next
      last.link(to: FreeBlock.none)
    }
    record.pointee.used += UInt16(truncatingIfNeeded: count)
    return (first, count)
  }

  // MARK: Purging, under the lock of the heap

  /// Whether pages of the span may be given back while others are in use.
  var isPurgeable: Bool {
    @_noLocks get { record.pointee.pageCount > 1 && record.pointee.pageCount <= 16 }
  }

  /// Whether `address`, in a span of blocks, is in a page that is purged, or in which no block has been carved.
  @_noLocks
  func isPurged(at address: UInt) -> Bool { chunk.entry(page: Chunk.page(of: address)).pointee.reciprocal == 0 }

  /// Takes the blocks that overlap pages without a used block off the free list, so that these pages can be given to the
  /// system. Returns the pages, as bits. `counts` is room for 16 numbers. Costs a walk over the free list.
  @_noLocks
  func takeUnusedPages(_ counts: UnsafeMutablePointer<UInt16>) -> UInt16 {
    let (size, carved) = (blockSize, Int(record.pointee.carved))
    var page = 0
    while page < 16 {
      counts[page] = 0
      page += 1
    }
    var block = record.pointee.free
    while !block.isNone {
      block.checkSignature()
      countFree(Int(bitPattern: block.address - UInt(bitPattern: start)) / size, counts)
      block = block.next
    }
    var index = 0
    while record.pointee.purgedPages != 0, index < carved {
      if isPurged(block: index) { countFree(index, counts) }
      index += 1
    }
    var pages: UInt16 = 0
    page = 0
    while page < blockPageCount {
      let first = (page << Chunk.pageShift) / size
      // Behind the last block may be bytes of none.
      let last = min((((page + 1) << Chunk.pageShift) - 1) / size, Int(record.pointee.capacity) - 1)
      if last < carved, Int(counts[page]) == last - first + 1 { pages |= 1 << UInt16(truncatingIfNeeded: page) }
      page += 1
    }
    pages = wholeSystemPages(pages) & ~record.pointee.purgedPages
    if pages != 0 { takeOut(pages) }
    return pages
  }

  private func countFree(_ index: Int, _ counts: UnsafeMutablePointer<UInt16>) {
    var page = (index * blockSize) >> Chunk.pageShift
    let last = ((index + 1) * blockSize - 1) >> Chunk.pageShift
    while page <= last, page < 16 {
      counts[page] += 1
      page += 1
    }
  }

  /// Those of the pages that make up whole pages of the system's.
  private func wholeSystemPages(_ pages: UInt16) -> UInt16 {
    let whole = Int(nest_page_size()) >> Chunk.pageShift
    if whole <= 1 { return pages }
    if whole > 16 { return 0 }
    var result: UInt16 = 0
    var page = (whole - firstPage % whole) % whole
    let mask = (1 << whole) - 1
    while page + whole <= 16 {
      if (Int(pages) >> page) & mask == mask { result |= UInt16(truncatingIfNeeded: mask << page) }
      page += whole
    }
    return result
  }

  private func takeOut(_ pages: UInt16) {
    record.pointee.purgedPages |= pages
    var (block, kept) = (record.pointee.free, FreeBlock.none)
    while !block.isNone {
      let next = block.next
      if isPurged(block: Int(bitPattern: block.address - UInt(bitPattern: start)) / blockSize) {
        record.pointee.purgedBlocks += 1
      } else {
        block.link(to: kept)
        kept = block
      }
      block = next
    }
    record.pointee.free = kept
    setEntriesOfPages(pages)
  }

  /// A pointer into a purged page is none of a block until the page is in use again.
  private func setEntriesOfPages(_ pages: UInt16) {
    var page = 0
    while page < 16 {
      if pages >> UInt16(truncatingIfNeeded: page) & 1 != 0 { setEntries(from: page, to: page + 1, Chunk.Entry.none) }
      page += 1
    }
  }

  /// Gives the purged pages to the system. Without the lock; the span is pinned. What the system refuses stays resident.
  @_noLocks
  func purgePages() {
    chunk.keepPagesSmall()
    var remainder = record.pointee.purgedPages
    while remainder != 0 {
      let first = remainder.trailingZeroBitCount
      let count = (~(remainder >> UInt16(truncatingIfNeeded: first))).trailingZeroBitCount
      _ = nest_purge(start + (first << Chunk.pageShift), count << Chunk.pageShift)
      remainder = count + first >= 16 ? 0 : remainder & ~UInt16(truncatingIfNeeded: ((1 << count) - 1) << first)
    }
  }

  /// Counts anew what the free list and the bits of purged pages say, after a change that was not ended: one that took blocks of pages
  /// that are to be purged off the list, or put them back, may have come half way. Blocks that it had in hand are lost.
  @_noLocks
  func recount() {
    var (free, kept) = (UInt16(0), FreeBlock.none)
    var block = record.pointee.free
    while !block.isNone, block.isSigned, free < record.pointee.carved {
      let next = block.next
      if !isPurged(block: Int(bitPattern: block.address - UInt(bitPattern: start)) / blockSize) {
        block.link(to: kept)
        kept = block
        free += 1
      }
      block = next
    }
    record.pointee.free = kept
    var (purged, index) = (UInt16(0), 0)
    while record.pointee.purgedPages != 0, index < Int(record.pointee.carved) {
      if isPurged(block: index) { purged += 1 }
      index += 1
    }
    record.pointee.purgedBlocks = purged
    // Those of pages that were just being carved may be missing.
    let whole = isUncarved ? (Int(record.pointee.carved) * blockSize) >> Chunk.pageShift : blockPageCount
    setEntries(from: 0, to: whole, Chunk.Entry(start: start, sizeClass: sizeClass))
    setEntriesOfPages(record.pointee.purgedPages)
    record.pointee.used = record.pointee.carved - free - purged
  }

  /// Puts used blocks on the free list. Returns whether something has to be done about the span.
  @_noLocks @inline(__always)
  func put(_ blocks: SpanBlocks) -> Bool {
    blocks.last.link(to: record.pointee.free)
    record.pointee.free = blocks.first
    let (before, trigger) = (record.pointee.used, record.pointee.trigger)
    let used = before &- UInt16(truncatingIfNeeded: blocks.count)
    record.pointee.used = used
    return before > trigger && used <= trigger
  }
}

/// Blocks of one page that follow each other in a list of free ones: as many as there are. What was released in the order in which
/// it was allocated, or in reverse, is many such; they go back as they are, without a write to those between the first and the last.
struct SpanBlocks {
  let span: Span
  let first: FreeBlock
  private(set) var last: FreeBlock
  private(set) var count: Int
  /// What follows in the list.
  private(set) var next: FreeBlock

  /// The first blocks of a list that has some. Dies where one of them has been written to.
  @_noLocks @inline(__always)
  init(firstOf list: FreeBlock) {
    span = Span(containing: list.address)
    list.checkSignature()
    (first, last, count, next) = (list, list, 1, list.next)
    // A page is of one span, and the block that ends lists is in none.
    while next.address ^ last.address < UInt(Chunk.pageSize) {
      next.checkSignature()
      last = next
      count &+= 1
      next = last.next
    }
  }

  /// One block, which is in no list.
  @_noLocks
  init(_ block: FreeBlock, of span: Span) {
    (self.span, first, last, count, next) = (span, block, block, 1, FreeBlock.none)
  }
}

extension Span {
  @_noLocks
  init?(address: UInt) {
    guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    record = pointer.assumingMemoryBound(to: Record.self)
  }

  /// The span that stands for none: its free list is empty and stays so.
  static var none: Span {
    @_noLocks get { Span(nest_no_span().assumingMemoryBound(to: Record.self)) }
  }

  var isNone: Bool { @_noLocks get { self == Span.none } }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A span: a run of pages in a chunk, cut into blocks of one size class, or one large block, or a thread's heap.
//
// One heap owns a class span. Only that heap's thread takes blocks from it and puts blocks back, so its free list needs no
// atomic operation; what other threads release comes through the heap's inbox. Blocks are cut from the span ("carved") as
// they are needed, so that its pages are touched one after the other.

@usableFromInline
struct Span {
  @usableFromInline
  enum State {
    case free, blocks, large, heap
  }

  @usableFromInline
  struct Record: ~Copyable {
    /// Free blocks. Owner's thread only.
    var free: FreeBlock
    /// The address of the heap whose thread takes blocks from here; 0 where no heap does. Written by the owner's thread
    /// and by one that adopts the heap, read by all.
    let owner: Atomic<UInt>
    /// Neighbours in a list of the owner's. Owner's thread only.
    var next: Span?
    var previous: Span?
    /// Blocks: carved and not on the free list. Owner's thread only.
    var blocksOut: Int32
    /// Blocks that the span has room for, and those of them that have been carved.
    var capacity: UInt16
    var carved: UInt16
    /// Pages of the span.
    var pageCount: UInt16
    var sizeClass: UInt8
    /// Written where the span is made and unmade, read by all who have a block of it.
    var state: State
    /// Whether the span is in its owner's list of full ones. Owner's thread only.
    var isFull: Bool
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
    self = chunk.span(page: entry.pointee.reciprocal == 0 ? page : Chunk.page(of: UInt(entry.pointee.startAndBin)))
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

  var owner: UInt { @_noLocks get { record.pointee.owner.load(ordering: .relaxed) } }

  var sizeClass: Int { @_noLocks get { Int(record.pointee.sizeClass) } }

  /// Bytes.
  var blockSize: Int { @_noLocks get { SizeClass.blockSize(sizeClass) } }

  var isFull: Bool { @_noLocks get { record.pointee.isFull } }

  /// Whether the span is one block.
  var isLarge: Bool {
    @_noLocks get { if case .large = record.pointee.state { true } else { false } }
  }

  /// Whether the span is cut into blocks of a class.
  var hasBlocks: Bool {
    @_noLocks get { if case .blocks = record.pointee.state { true } else { false } }
  }

  var isCarvable: Bool { @_noLocks get { record.pointee.carved < record.pointee.capacity } }

  var hasFreeBlock: Bool { @_noLocks get { !record.pointee.free.isNone } }

  /// Whether the span is small enough to be kept by its heap when it is empty.
  var mayStayEmpty: Bool { @_noLocks get { record.pointee.pageCount <= 16 } }

  /// Makes the run of pages that begins at this record a span that is not cut into blocks.
  @_noLocks
  func initialize(state: State, pageCount: Int) {
    record.pointee.free = FreeBlock.none
    record.pointee.owner.store(0, ordering: .relaxed)
    record.pointee.next = nil
    record.pointee.previous = nil
    record.pointee.blocksOut = 0
    record.pointee.capacity = 0
    record.pointee.carved = 0
    record.pointee.sizeClass = 0
    record.pointee.state = state
    record.pointee.isFull = false
    record.pointee.pageCount = UInt16(truncatingIfNeeded: pageCount)
  }

  /// Makes it one of blocks of a class, all of them uncarved. The entries of its pages are those of none.
  @_noLocks
  func initialize(sizeClass: Int, pageCount: Int, owner: UInt) {
    initialize(state: .blocks, pageCount: pageCount)
    let size = SizeClass.blockSize(sizeClass)
    record.pointee.owner.store(owner, ordering: .relaxed)
    record.pointee.sizeClass = UInt8(truncatingIfNeeded: sizeClass)
    record.pointee.capacity = UInt16(truncatingIfNeeded: pageCount * Chunk.pageSize / size)
  }

  /// The pages of the span.
  var run: PageRun {
    @_noLocks get { PageRun(chunk, firstPage, Int(record.pointee.pageCount)) }
  }

  /// Gives the span's pages to the page heap.
  @_noLocks
  func releasePages() {
    let run = run
    clear()
    PageHeap.shared.release(run)
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

  /// Puts the new blocks that begin in the next page on the free list, which is empty. There is something to carve.
  ///
  /// The entries of pages say that there are blocks only from then on: a pointer to one that was never handed out is none.
  @_noLocks
  func carve() {
    let size = blockSize
    let first = Int(record.pointee.carved)
    let page = (first * size) >> Chunk.pageShift
    let inPage = ((page + 1) << Chunk.pageShift) - first * size
    let count = min((inPage + size - 1) / size, Int(record.pointee.capacity) - first)
    record.pointee.carved = UInt16(truncatingIfNeeded: first + count)
    let end = isCarvable ? ((first + count) * size) >> Chunk.pageShift : Int(record.pointee.pageCount)
    setEntries(from: page, to: end, Chunk.Entry(start: start, sizeClass: sizeClass))
    var block = FreeBlock(start + (first + count - 1) * size)
    block.link(to: FreeBlock.none)
    for _ in 1..<max(count, 1) {
      let previous = FreeBlock(block.pointer - size)
      previous.link(to: block)
      block = previous
    }
    record.pointee.free = block
  }

  /// Takes all blocks off the free list, and returns the first and how many there are.
  @_noLocks
  func takeFreeBlocks() -> (first: FreeBlock, count: Int32) {
    let first = record.pointee.free
    let count = Int32(record.pointee.carved) - record.pointee.blocksOut
    record.pointee.free = FreeBlock.none
    record.pointee.blocksOut += count
    return (first, count)
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

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A span: a run of slots in a chunk, cut into blocks of one size class, or one large block, or a thread's heap.
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
    /// Slots of the span.
    var slotCount: UInt16
    var sizeClass: UInt8
    /// Written where the span is made and unmade, read by all who have a block of it.
    var state: State
    /// Whether the span is in its owner's list of full ones. Owner's thread only.
    var isFull: Bool
  }

  let record: UnsafeMutablePointer<Record>

  @_noLocks
  init(_ record: UnsafeMutablePointer<Record>) { self.record = record }

  /// The span of which the slot at `address`, in a chunk, is a part, or one that begins there.
  @_noLocks
  init(containing address: UInt) {
    let chunk = Chunk(containing: address)
    let slot = Chunk.slot(of: address)
    let entry = chunk.entry(slot: slot)
    self = chunk.span(slot: entry.pointee.reciprocal == 0 ? slot : Chunk.slot(of: UInt(entry.pointee.startAndBin)))
  }

  @_noLocks
  static func == (a: Span, b: Span) -> Bool { a.record == b.record }

  var address: UInt { @_noLocks get { UInt(bitPattern: record) } }

  var chunk: Chunk { @_noLocks get { Chunk(containing: address) } }

  var firstSlot: Int {
    @_noLocks get {
      (Int(bitPattern: address & UInt(Chunk.size - 1)) - Chunk.recordsOffset) / Chunk.recordSize
    }
  }

  /// Where the span's blocks begin.
  var start: UnsafeMutableRawPointer { @_noLocks get { chunk.address(slot: firstSlot) } }

  var byteCount: Int { @_noLocks get { Int(record.pointee.slotCount) << Chunk.slotShift } }

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
  var mayStayEmpty: Bool { @_noLocks get { record.pointee.slotCount <= 16 } }

  /// Makes the run of slots that begins at this record a span that is not cut into blocks.
  @_noLocks
  func initialize(state: State, slotCount: Int) {
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
    record.pointee.slotCount = UInt16(truncatingIfNeeded: slotCount)
  }

  /// Makes it one of blocks of a class, all of them uncarved. The entries of its slots are those of none.
  @_noLocks
  func initialize(sizeClass: Int, slotCount: Int, owner: UInt) {
    initialize(state: .blocks, slotCount: slotCount)
    let size = SizeClass.blockSize(sizeClass)
    record.pointee.owner.store(owner, ordering: .relaxed)
    record.pointee.sizeClass = UInt8(truncatingIfNeeded: sizeClass)
    record.pointee.capacity = UInt16(truncatingIfNeeded: slotCount * Chunk.slotSize / size)
  }

  /// Makes the record one of no span, and so the entries of its slots.
  @_noLocks
  func clear() {
    if hasBlocks { setEntries(from: 0, to: Int(record.pointee.slotCount), Chunk.Entry.none) }
    record.pointee.state = .free
    record.pointee.owner.store(0, ordering: .relaxed)
  }

  private func setEntries(from first: Int, to end: Int, _ entry: Chunk.Entry) {
    let entries = chunk.entry(slot: firstSlot)
    for index in first..<max(first, end) { entries[index] = entry }
  }

  /// Puts the new blocks that begin in the next slot on the free list, which is empty. There is something to carve.
  ///
  /// The entries of slots say that there are blocks only from then on: a pointer to one that was never handed out is none.
  @_noLocks
  func carve() {
    let size = blockSize
    let first = Int(record.pointee.carved)
    let slot = (first * size) >> Chunk.slotShift
    let inSlot = ((slot + 1) << Chunk.slotShift) - first * size
    let count = min((inSlot + size - 1) / size, Int(record.pointee.capacity) - first)
    record.pointee.carved = UInt16(truncatingIfNeeded: first + count)
    let end = isCarvable ? ((first + count) * size) >> Chunk.slotShift : Int(record.pointee.slotCount)
    setEntries(from: slot, to: end, Chunk.Entry(start: start, sizeClass: sizeClass))
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

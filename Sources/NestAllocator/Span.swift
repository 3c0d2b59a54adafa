// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A span: a run of slots in a chunk, cut into blocks of one size class, or one large block, or a thread's heap.
//
// One heap owns a class span, and only that heap's thread takes blocks from it, so its free list needs no atomic
// operation. Other threads put blocks on its `RemoteQueue`. Blocks are cut from the span ("carved") as they are needed,
// so that its pages are touched one after the other.
//
// `used` + `bias` is the number of blocks that are out: handed out and not back on the free list. The bias lets the release
// of a block find with one comparison (`used` has become 0) that there is something to do:
//
//     state of the span                 bias                    used becomes 0 when
//     the current one of its class       -1                      never
//     available                           0                      the span is empty
//     full (nothing free or uncarved)   capacity - threshold     `threshold` blocks have come back
//
// A span that is large never has a bias of -1: empty, it would hold too much.

@usableFromInline
struct Span {
  @usableFromInline
  enum State {
    case free, blocks, large, heap
  }

  @usableFromInline
  struct Record: ~Copyable {
    /// Free blocks. Owner's thread only.
    @usableFromInline var free: FreeBlock?
    /// The address of the heap whose thread takes blocks from here; 0 where no heap does. Written by the owner's thread
    /// and by one that adopts the heap, read by all.
    @usableFromInline let owner: Atomic<UInt>
    /// 2⁶⁴ / blockSize, rounded up: tells with one multiplication whether an offset is one of a block. 0 in the record of
    /// what is not cut into blocks, so that nothing is one.
    @usableFromInline var reciprocal: UInt64
    /// Neighbours in a list of the owner's. Owner's thread only.
    @usableFromInline var next: Span?
    @usableFromInline var previous: Span?
    /// Blocks, see above. Owner's thread only.
    @usableFromInline var used: Int32
    @usableFromInline var bias: Int32
    /// Bytes.
    @usableFromInline var blockSize: UInt32
    /// Blocks that the span has room for, and those of them that have been carved.
    @usableFromInline var capacity: UInt16
    @usableFromInline var carved: UInt16
    /// Slots of the span.
    @usableFromInline var slotCount: UInt16
    /// In the record of each slot of a span of blocks: slots from the span's first one to this.
    @usableFromInline var slotOffset: UInt16
    @usableFromInline var sizeClass: UInt8
    /// Written where the span is made and unmade, read by all who have a block of it.
    @usableFromInline var state: State
    /// Whether the span is in its owner's list of full ones. Owner's thread only.
    @usableFromInline var isFull: Bool
  }

  @usableFromInline let record: UnsafeMutablePointer<Record>

  @inlinable @inline(__always) @_noLocks
  init(_ record: UnsafeMutablePointer<Record>) { self.record = record }

  /// The span of which the slot at `address`, in a chunk, is a part.
  @inlinable @inline(__always) @_noLocks
  init(containing address: UInt) { self = Span.locate(address).span }

  /// The span of which the slot at `address`, in a chunk, is a part, and how many bytes `address` is behind its start.
  @inlinable @inline(__always) @_noLocks
  static func locate(_ address: UInt) -> (span: Span, offset: UInt64) {
    let own = Chunk(containing: address).span(slot: Chunk.slot(of: address))
    let slots = UInt64(own.record.pointee.slotOffset)
    let first = UnsafeMutableRawPointer(own.record) - Int(slots) &* Chunk.recordSize
    let inSlot = UInt64(address & UInt(bitPattern: Chunk.slotSize &- 1))
    return (Span(first.assumingMemoryBound(to: Record.self)), slots &<< UInt64(Chunk.slotShift) | inSlot)
  }

  @inlinable @inline(__always) @_noLocks
  static func == (a: Span, b: Span) -> Bool { a.record == b.record }

  @inlinable @inline(__always)
  var address: UInt { @_noLocks get { UInt(bitPattern: record) } }

  @inlinable @inline(__always)
  var chunk: Chunk { @_noLocks get { Chunk(containing: address) } }

  @inlinable @inline(__always)
  var firstSlot: Int {
    @_noLocks get { Int(bitPattern: address & UInt(bitPattern: Chunk.remoteQueueOffset &- 1)) / Chunk.recordSize }
  }

  /// Where the span's blocks begin.
  @inlinable @inline(__always)
  var start: UnsafeMutableRawPointer { @_noLocks get { chunk.base + firstSlot &<< Chunk.slotShift } }

  @inlinable @inline(__always)
  var byteCount: Int { @_noLocks get { Int(record.pointee.slotCount) &<< Chunk.slotShift } }

  @inlinable @inline(__always)
  var owner: UInt { @_noLocks get { record.pointee.owner.load(ordering: .relaxed) } }

  /// Whether a block of a class begins `offset` bytes behind the start.
  @inlinable @inline(__always) @_noLocks
  func hasBlock(at offset: UInt64) -> Bool {
    offset &* record.pointee.reciprocal < record.pointee.reciprocal
  }

  var isFull: Bool { @_noLocks get { record.pointee.isFull } }

  /// Whether the span is one block.
  var isLarge: Bool {
    @_noLocks get { if case .large = record.pointee.state { true } else { false } }
  }

  /// Whether the span is cut into blocks of a class.
  var hasBlocks: Bool {
    @_noLocks get { if case .blocks = record.pointee.state { true } else { false } }
  }

  /// Blocks that are out. Owner's thread only.
  var blocksOut: Int { @_noLocks get { Int(record.pointee.used + record.pointee.bias) } }

  var isCarvable: Bool { @_noLocks get { record.pointee.carved < record.pointee.capacity } }

  @_noLocks
  func setBias(_ bias: Int32) {
    record.pointee.used += record.pointee.bias - bias
    record.pointee.bias = bias
  }

  /// Makes the run of slots that begins at this record a span.
  @_noLocks
  func initialize(state: State, slotCount: Int, blockSize: Int, sizeClass: Int, owner: UInt) {
    record.pointee.free = nil
    record.pointee.owner.store(owner, ordering: .relaxed)
    if case .blocks = state {
      record.pointee.reciprocal = UInt64.max / UInt64(blockSize) + 1
    } else {
      record.pointee.reciprocal = 0
    }
    record.pointee.next = nil
    record.pointee.previous = nil
    record.pointee.used = 0
    record.pointee.bias = 0
    record.pointee.blockSize = UInt32(truncatingIfNeeded: blockSize)
    record.pointee.capacity = UInt16(truncatingIfNeeded: slotCount * Chunk.slotSize / blockSize)
    record.pointee.carved = 0
    record.pointee.sizeClass = UInt8(truncatingIfNeeded: sizeClass)
    record.pointee.state = state
    record.pointee.isFull = false
    record.pointee.slotCount = UInt16(truncatingIfNeeded: slotCount)
    // Of a large block only the start is asked for.
    if case .blocks = state { setSlotOffsets() }
  }

  private func setSlotOffsets() {
    for index in 1..<max(Int(record.pointee.slotCount), 1) {
      chunk.span(slot: firstSlot + index).record.pointee.slotOffset = UInt16(truncatingIfNeeded: index)
    }
  }

  /// Makes the record one of no span, and so those of its other slots.
  @_noLocks
  func clear() {
    if hasBlocks {
      for index in 1..<max(Int(record.pointee.slotCount), 1) {
        chunk.span(slot: firstSlot + index).record.pointee.slotOffset = 0
      }
    }
    record.pointee.state = .free
    record.pointee.reciprocal = 0
    record.pointee.owner.store(0, ordering: .relaxed)
  }

  /// Puts about a page of new blocks on the free list, which is empty. There is something to carve.
  @_noLocks
  func carve() {
    let size = Int(record.pointee.blockSize)
    let first = Int(record.pointee.carved)
    let count = min(max(4096 / size, 1), Int(record.pointee.capacity) - first)
    record.pointee.carved = UInt16(truncatingIfNeeded: first + count)
    var block = FreeBlock(start + (first + count - 1) * size)
    block.link(to: nil)
    for _ in 1..<max(count, 1) {
      let previous = FreeBlock(block.pointer - size)
      previous.link(to: block)
      block = previous
    }
    record.pointee.free = block
  }
}

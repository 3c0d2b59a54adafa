// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorSupport
import CNestSupport
import Synchronization

// A walk over all live blocks, by address, while other threads allocate and release.
//
// What is live for as long as the walk lasts is met once; what is free for as long is not met. What changes meanwhile may be met or
// not. No thread is stopped: the lock of one heap is held over one span (256 blocks at most), and no longer than it takes
// to read the first words of its blocks. A thread that needs that heap then takes another one, or what its bins have. Why that holds,
// race by race:
//
// - *A chunk is unmapped.* Not between `beginWalk` and `endWalk`, which each call makes for itself. Between two calls it may be;
//   the position is a number, and leads to whatever is there then.
// - *A span comes, goes, or changes hands.* A span with a block in use stays where it is and belongs to the same heap until
//   that block is released. So the owner is read without its lock, and believed under it. One that fails this was not live throughout.
//   The records of pages in which no span begins have no owner and no state, so that going on by one page is always right.
//   Where the walk skips the pages of a span it has read their number under the lock, as it was then: no other span that is live
//   throughout begins among them.
// - *Blocks are carved, or taken in, and pages purged.* All under the lock of the heap. What has not been carved is behind
//   `carved`; blocks that overlap a purged page are free, and their first words may be zeros: they are told by the span's bits, not by
//   what they hold.
// - *A block is taken from a thread's bin, or put there.* Without a lock: two stores at most. The second word is read once, and
//   tells: taking a block clears it.
// - *A free block is linked anew* on its way between threads, without the lock of the heap: the link and its signature are two stores, and
//   between them the signature is that of the former link. So it is not compared with the link, but solved for it: whatever
//   comes out is the address of a block, or of the end of all lists, only if the word is a signature. The word of a live
//   block leads there by chance once in some 2⁴⁰ times.
// - *A large block comes or goes.* It has no lock. Its record says last that it is one; the size is read between two looks at that.
// - *A sampled block comes or goes.* Its slot says last that it is live. One that is in a thread's bin meanwhile is met as well, of 64 at most.
// - *A huge block is moved.* Its address changes, so it was not live throughout. Its list is read under the lock of the huge blocks.
//
// Words of large, sampled and huge blocks are not read here: their memory may be unmapped, or protected, in this very moment.

@usableFromInline
struct BlockWalk {
  /// Where the walk is: in a cell of the address map, of 4 MiB.
  private struct Position {
    /// The address of the cell.
    var cell: UInt
    /// The page of the chunk that begins there; ``Chunk/pageCount`` when its pages are done; 0 where the cell has not been looked at.
    var page: Int
    /// The next block of the span that begins at that page.
    var block: Int
    /// Behind a chunk's pages: where the next huge block of the cell begins at the earliest.
    var huge: UInt
  }

  private let position: UnsafeMutablePointer<Position>
  private let blocks: UnsafeMutablePointer<allocator_block>
  private let capacity: Int

  /// See `BlockWalking.readLiveBlocks(_:into:capacity:)`.
  @usableFromInline @inline(never) @_noLocks
  static func read(
    _ walk: UnsafeMutablePointer<allocator_walk>, into blocks: UnsafeMutablePointer<allocator_block>, capacity: Int
  ) -> Int {
    // Safety: four words.
    let position = UnsafeMutableRawPointer(walk).assumingMemoryBound(to: Position.self)
    if capacity <= 0 { return 0 }
    PageHeap.beginWalk()
    let count = BlockWalk(position: position, blocks: blocks, capacity: capacity).fill()
    PageHeap.endWalk()
    return count
  }

  @_noLocks
  private init(
    position: UnsafeMutablePointer<Position>, blocks: UnsafeMutablePointer<allocator_block>, capacity: Int
  ) {
    self.position = position
    self.blocks = blocks
    self.capacity = capacity
  }

  @_noLocks
  private func fill() -> Int {
    var count = 0
    while count < capacity {
      if position.pointee.page == 0 {
        guard let cell = AddressMap.nextCell(position.pointee.cell) else {
          // It stays at its end, whatever comes behind the last block.
          position.pointee.cell = AddressMap.end
          break
        }
        let first = cell.isChunk ? Chunk.firstPage : Chunk.pageCount
        position.pointee = Position(cell: cell.address, page: first, block: 0, huge: cell.address)
      }
      if position.pointee.page < Chunk.pageCount { count = readPages(count) } else { count = readHuge(count) }
    }
    return count
  }

  // MARK: Chunks

  /// Goes on in a chunk. Returns how many blocks there are now.
  @_noLocks
  private func readPages(_ start: Int) -> Int {
    // Between two calls the chunk may have gone.
    guard AddressMap.isInChunk(position.pointee.cell),
      let base = UnsafeMutableRawPointer(bitPattern: position.pointee.cell)
    else {
      position.pointee.page = Chunk.pageCount
      return start
    }
    let chunk = Chunk(base: base)
    var count = start
    while position.pointee.page < chunk.mappedCount {
      if count == capacity { return count }
      let span = chunk.span(page: position.pointee.page)
      let owner = span.owner
      if owner != 0 {
        count = readSpan(span, owner, count)
      } else {
        if let size = span.peekedLargeSize {
          count = add(UInt(bitPattern: span.start), size, count)
        } else if let block = SampledBlocks.peek(page: UInt(bitPattern: span.start)) {
          count = add(block.address, block.size, count)
        }
        position.pointee.page += 1
      }
    }
    position.pointee.page = Chunk.pageCount
    return count
  }

  /// Reads the blocks of a span that belonged to heap `owner` a moment ago.
  @_noLocks
  private func readSpan(_ span: Span, _ owner: Int, _ start: Int) -> Int {
    let lock = Heaps.heap(owner).lock
    lock.lock()
    guard span.owner == owner, span.hasBlocks else {
      lock.unlock()
      position.pointee.page += 1
      return start
    }
    var (count, index) = (start, position.pointee.block)
    let (size, address) = (span.blockSize, UInt(bitPattern: span.start))
    let end = span.record.pointee.used == 0 ? 0 : Int(span.record.pointee.carved)
    let areAllThere = span.record.pointee.purgedPages == 0
    while index < end, count < capacity {
      if areAllThere || !span.isPurged(block: index) {
        let block = address + UInt(bitPattern: index * size)
        let second = nest_peek(UnsafeRawPointer(bitPattern: block + 8).unsafelyUnwrapped)
        if !BlockWalk.isSignature(second, of: block) {
          let pointer = blocks + count
          pointer.pointee.address = block
          pointer.pointee.size = size
          pointer.pointee.words.0 = nest_peek(UnsafeRawPointer(bitPattern: block).unsafelyUnwrapped)
          pointer.pointee.words.1 = second
          pointer.pointee.word_count = size > 16 ? 3 : 2
          pointer.pointee.words.2 =
            size > 16 ? nest_peek(UnsafeRawPointer(bitPattern: block + 16).unsafelyUnwrapped) : 0
          count += 1
        }
      }
      index += 1
    }
    if index < end {
      position.pointee.block = index
    } else {
      position.pointee.block = 0
      position.pointee.page += Int(span.record.pointee.pageCount)
    }
    lock.unlock()
    return count
  }

  /// Whether a word is the signature of a link from the free block at `address`, to whichever block.
  @inline(__always) @_noLocks
  static func isSignature(_ word: UInt, of address: UInt) -> Bool {
    let next = word &- address &- nest_key()
    if next == UInt(bitPattern: nest_no_block()) { return true }
    return next & 15 == 0 && next >> UInt(NEST_ADDRESS_BITS) == 0 && AddressMap.isInChunk(next)
  }

  // MARK: Large and huge blocks

  @_noLocks
  private func add(_ address: UInt, _ size: Int, _ count: Int) -> Int {
    let pointer = blocks + count
    pointer.pointee.address = address
    pointer.pointee.size = size
    pointer.pointee.word_count = 0
    pointer.pointee.words = (0, 0, 0)
    return count + 1
  }

  /// Goes on with the huge blocks of a cell. Returns how many blocks there are now.
  @_noLocks
  private func readHuge(_ start: Int) -> Int {
    var count = start
    while count < capacity {
      guard position.pointee.huge >> UInt(Chunk.shift) == position.pointee.cell >> UInt(Chunk.shift),
        let block = HugeBlocks.shared.first(from: position.pointee.huge)
      else {
        position.pointee = Position(cell: position.pointee.cell + UInt(Chunk.size), page: 0, block: 0, huge: 0)
        return count
      }
      count = add(block.address, block.size, count)
      position.pointee.huge = block.address + 1
    }
    return count
  }
}

extension Span {
  // Bytes from the start of a record to the members that a walk reads without a lock.
  private static var capacityOffset: Int { @_noLocks get { 28 } }
  private static var carvedOffset: Int { @_noLocks get { 30 } }
  private static var pageCountOffset: Int { @_noLocks get { 32 } }
  private static var stateOffset: Int { @_noLocks get { 39 } }

  /// Bytes of the large block that this is, without its guard; nil where it is none, or is not one yet, or any more.
  fileprivate var peekedLargeSize: Int? {
    @_noLocks get {
      let base = UnsafeRawPointer(record)
      guard Span.isLarge(nest_peek_byte(base + Span.stateOffset)) else { return nil }
      atomicMemoryFence(ordering: .acquiring)
      let pages = Int(nest_peek_half(base + Span.pageCountOffset))
      // Of a block of a hardened flavour: what of its pages was not asked for, and what of them is a guard.
      let (rest, guardBytes) = (nest_peek_half(base + Span.capacityOffset), nest_peek_half(base + Span.carvedOffset))
      atomicMemoryFence(ordering: .acquiring)
      guard Span.isLarge(nest_peek_byte(base + Span.stateOffset)) else { return nil }
      return max(pages << Chunk.pageShift - Int(rest) - Int(guardBytes), 0)
    }
  }

  private static func isLarge(_ byte: UInt8) -> Bool {
    // Safety: the state is an enumeration without payloads: a byte, by the order of the cases.
    byte == 2
  }

  /// Stops the process where the members are elsewhere.
  func checkPeekedOffsets() {
    let base = UnsafeRawPointer(record)
    precondition(
      base.load(fromByteOffset: Span.capacityOffset, as: UInt16.self) == record.pointee.capacity
        && base.load(fromByteOffset: Span.carvedOffset, as: UInt16.self) == record.pointee.carved
        && base.load(fromByteOffset: Span.pageCountOffset, as: UInt16.self) == record.pointee.pageCount
        && Span.isLarge(base.load(fromByteOffset: Span.stateOffset, as: UInt8.self)) == isLarge)
  }
}

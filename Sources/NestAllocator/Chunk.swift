// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// A chunk: 4 MiB of address space, aligned to as much, cut into 1,024 slots of 4 KiB.
//
//     0        8 KiB        56 KiB                                    4 MiB
//     ┌──────────┬────────────┬──────────┬──────────┬───────── … ───────┐
//     │ slots'   │ spans'     │ slot 14  │ slot 15  │                   │
//     │ entries  │ records    │          │          │                   │
//     └──────────┴────────────┴──────────┴──────────┴───────── … ───────┘
//      1024 × 8    1024 × 48    a span is a run of slots; its record is that of its first slot
//
// Masking an address gives its chunk, shifting it the slot, whose entry says all that the release of a block needs: eight to a
// cache line. The chunk's own header lies in the records of slots 0 to 13, which are of no span; their entries stay zeros, so
// that an address there is none of a block. Only touched pages of all this take memory.
//
// The page heap's lock guards the header. Set bits of `free` are slots of no span; set bits of `dirty` are among them, and
// say that the slot has been written since it came from the system.

@usableFromInline
struct Chunk {
  struct Header {
    var next: Chunk?
    var previous: Chunk?
    var freeCount: Int
    var dirtyCount: Int
    /// No run of free slots is longer than this.
    var longestRun: Int
  }

  /// What is known of a slot. Written where a span is made and unmade, read by all who have a block of it.
  @usableFromInline
  struct Entry {
    /// The lower half of the address at which the span begins, a multiple of 4 KiB, and in its last 12 bits the bytes from
    /// the start of a heap to its bin for the span's blocks.
    @usableFromInline let startAndBin: UInt32
    /// 2³² / the size of the span's blocks, rounded up: tells with one multiplication whether an offset is one of a block. 0
    /// where the slot is not one of blocks, so that nothing is one.
    @usableFromInline let reciprocal: UInt32

    /// The entry of a slot of a span that begins at `start`, of blocks of `sizeClass`.
    @_noLocks
    init(start: UnsafeMutableRawPointer, sizeClass: Int) {
      startAndBin = UInt32(truncatingIfNeeded: UInt(bitPattern: start) | UInt(bitPattern: sizeClass * Bin.stride))
      let size = SizeClass.blockSize(sizeClass)
      reciprocal = UInt32(truncatingIfNeeded: ((1 << 32) + size - 1) / size)
    }

    private init() {
      startAndBin = 0
      reciprocal = 0
    }

    /// The entry of a slot that is not one of blocks.
    static var none: Entry { @_noLocks get { Entry() } }

    @inlinable @inline(__always)
    var binOffset: Int { @_noLocks get { Int(startAndBin & 0xfff) } }

    /// The class of the span's blocks.
    var sizeClass: Int { @_noLocks get { binOffset / Bin.stride } }

    /// Whether a block of a class begins at `address`, which is in the slot.
    @inlinable @inline(__always) @_noLocks
    func hasBlock(at address: UInt) -> Bool {
      let offset = UInt32(truncatingIfNeeded: address) &- (startAndBin & ~0xfff)
      // Exact, since the product of the span's bytes and the block's is less than 2³² (or the size is a power of two): for a
      // multiple of the size the product here is less than the reciprocal, for all else it is at least that.
      return offset &* reciprocal < reciprocal
    }
  }

  @inlinable @inline(__always) static var shift: Int { @_noLocks get { Int(NEST_CHUNK_SHIFT) } }
  @inlinable @inline(__always) static var size: Int { @_noLocks get { 1 << shift } }
  @inlinable @inline(__always) static var slotShift: Int { @_noLocks get { 12 } }
  @inlinable @inline(__always) static var slotSize: Int { @_noLocks get { 1 << slotShift } }
  @inlinable @inline(__always) static var slotCount: Int { @_noLocks get { size >> slotShift } }
  static var firstSlot: Int { @_noLocks get { 14 } }
  static var recordSize: Int { @_noLocks get { 48 } }
  static var recordsOffset: Int { @_noLocks get { slotCount * 8 } }

  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable @inline(__always) @_noLocks
  init(base: UnsafeMutableRawPointer) { self.base = base }

  /// The chunk in which `address` lies, if it lies in one.
  @inlinable @inline(__always) @_noLocks
  init(containing address: UInt) {
    // Safety: an address that the caller has found in the chunk map is not in the first 4 MiB.
    base = UnsafeMutableRawPointer(bitPattern: address & ~UInt(bitPattern: Chunk.size &- 1)).unsafelyUnwrapped
  }

  @inlinable @inline(__always) @_noLocks
  static func slot(of address: UInt) -> Int {
    Int(bitPattern: address &>> UInt(slotShift)) & (slotCount &- 1)
  }

  @inlinable @inline(__always) @_noLocks
  func entry(slot: Int) -> UnsafeMutablePointer<Entry> { base.assumingMemoryBound(to: Entry.self) + slot }

  @_noLocks
  func span(slot: Int) -> Span {
    Span((base + Chunk.recordsOffset + slot * Chunk.recordSize).assumingMemoryBound(to: Span.Record.self))
  }

  var header: UnsafeMutablePointer<Header> {
    @_noLocks get { (base + Chunk.recordsOffset).assumingMemoryBound(to: Header.self) }
  }

  @_noLocks
  func address(slot: Int) -> UnsafeMutableRawPointer { base + slot * Chunk.slotSize }

  /// Bitmaps of one bit for each slot, behind the header.
  var freeSlots: UnsafeMutablePointer<UInt64> {
    @_noLocks get { (base + Chunk.recordsOffset + Chunk.recordSize).assumingMemoryBound(to: UInt64.self) }
  }
  var dirtySlots: UnsafeMutablePointer<UInt64> { @_noLocks get { freeSlots + Chunk.slotCount / 64 } }

  /// Makes a header, all slots free and clean. The memory is zeroed.
  @_noLocks
  func initialize() {
    setFree(from: Chunk.firstSlot, count: Chunk.slotCount - Chunk.firstSlot, dirty: false)
    header.pointee.longestRun = Chunk.slotCount - Chunk.firstSlot
  }

  /// The first slot of a run of `count` free slots (only dirty ones, if `dirtyOnly`) that begins at a multiple of `align`
  /// slots.
  @_noLocks
  func findRun(count: Int, align: Int, dirtyOnly: Bool) -> Int? {
    let words = dirtyOnly ? dirtySlots : freeSlots
    var slot = 0
    var best: Int? = nil
    var bestLength = Int.max
    while slot + count <= Chunk.slotCount {
      let start = Chunk.nextBit(words, from: slot, value: true)
      slot = (start + align - 1) & -align
      if slot + count > Chunk.slotCount { return best }
      if slot != start, words[slot >> 6] >> UInt64(slot & 63) & 1 == 0 { continue }
      let end = Chunk.nextBit(words, from: slot, value: false)
      if end - slot == count { return slot }
      if end - slot > count, end - slot < bestLength { best = slot; bestLength = end - slot }
      slot = end
    }
    return best
  }

  /// Marks a run as in use. Returns how many of its slots were dirty.
  @_noLocks
  func setUsed(from slot: Int, count: Int) -> Int {
    var dirty = 0
    Chunk.forEachWord(from: slot, count: count) { word, mask in
      dirty += (dirtySlots[word] & mask).nonzeroBitCount
      freeSlots[word] &= ~mask
      dirtySlots[word] &= ~mask
    }
    header.pointee.freeCount -= count
    header.pointee.dirtyCount -= dirty
    return dirty
  }

  @_noLocks
  func setFree(from slot: Int, count: Int, dirty: Bool) {
    Chunk.forEachWord(from: slot, count: count) { word, mask in
      freeSlots[word] |= mask
      if dirty { dirtySlots[word] |= mask }
    }
    header.pointee.freeCount += count
    if dirty { header.pointee.dirtyCount += count }
    header.pointee.longestRun = Chunk.slotCount
  }

  @_noLocks
  func isFree(from slot: Int, count: Int) -> Bool {
    slot + count <= Chunk.slotCount && Chunk.nextBit(freeSlots, from: slot, value: false) >= slot + count
  }

  /// Gives dirty free slots back to the system, at most `limit`. Returns how many. Slots of a page that others share stay.
  @_noLocks
  func purge(limit: Int) -> Int {
    let slotsOfPage = max(Int(nest_page_size()) >> Chunk.slotShift, 1)
    var purged = 0
    var slot = 0
    while purged < limit {
      slot = Chunk.nextBit(dirtySlots, from: slot, value: true)
      if slot >= Chunk.slotCount { break }
      let end = Chunk.nextBit(dirtySlots, from: slot, value: false)
      let first = (slot + slotsOfPage - 1) & -slotsOfPage
      let count = (min(end, first + limit - purged) & -slotsOfPage) - first
      slot = end
      guard count > 0, nest_purge(address(slot: first), count * Chunk.slotSize) != 0 else { continue }
      Chunk.forEachWord(from: first, count: count) { word, mask in dirtySlots[word] &= ~mask }
      header.pointee.dirtyCount -= count
      purged += count
    }
    return purged
  }

  /// The first bit of `value` at or after `start`, or the number of slots.
  private static func nextBit(_ words: UnsafeMutablePointer<UInt64>, from start: Int, value: Bool) -> Int {
    var index = start
    while index < slotCount {
      let word = (value ? words[index >> 6] : ~words[index >> 6]) >> UInt64(index & 63)
      if word != 0 { return index + word.trailingZeroBitCount }
      index = (index | 63) + 1
    }
    return slotCount
  }

  @inline(__always)
  private static func forEachWord(from slot: Int, count: Int, _ body: (Int, UInt64) -> Void) {
    var first = slot
    let end = slot + count
    while first < end {
      let last = min(end, (first | 63) + 1)
      let mask = (~UInt64(0) >> UInt64(64 - (last - first))) << UInt64(first & 63)
      body(first >> 6, mask)
      first = last
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// The page heap: all chunks, and which of their slots are free. One for the process, under one lock, which is taken once
// for a span and not for a block.
//
// Chunks with free slots are in a list; a run is taken from the first that has one of dirty slots (they cost no page fault and no
// memory), else from the first that has any. Decay: what has been dirty and free through a whole interval goes back to the
// system at the next call after its end. The least number of dirty free slots in the interval tells how much that is, so what a
// program uses again and again stays.

struct PageHeap {
  struct State: ~Copyable {
    /// Chunks with a free slot; the one released to last is first.
    var first: Chunk?
    var last: Chunk?
    /// Dirty free slots, now and at least since the interval began.
    var dirtyCount: Int
    var dirtyLow: Int
    /// Milliseconds.
    var intervalStart: Int64
    /// Chunks of which every slot is free.
    var emptyChunks: Int
    var chunkCount: Int
    /// Where the next chunk is hoped to fit: below the last one.
    var hint: UInt
  }

  /// Milliseconds.
  private static var interval: Int64 { @_noLocks get { 250 } }
  /// Dirty free slots that do not decay.
  private static var dirtyAlways: Int { @_noLocks get { 32 } }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: PageHeap { @_noLocks get { PageHeap(nest_page_heap()) } }

  var lock: Lock {
    @_noLocks get { Lock(nest_lock(0)) }
  }

  /// Takes a run of `count` slots that begins at a multiple of `align` slots. Returns the record of its first slot, which is
  /// the caller's to initialize, and whether all of the run is zeros. Maps a new chunk only if `mayMap`.
  @_noLocks
  func allocate(count: Int, align: Int, mayMap: Bool = true) -> (span: Span, isZeroed: Bool)? {
    if let found = tryAllocating(count: count, align: align, mayMap: false) { return found }
    guard mayMap else { return nil }
    // What is kept of mappings goes before more is asked for. Not under the lock, see `Mappings`.
    Mappings.shared.releaseFreeMemory(Chunk.size)
    if let found = tryAllocating(count: count, align: align, mayMap: true) { return found }
    // Address space or memory is short.
    Mappings.shared.releaseFreeMemory(Int.max)
    if let found = tryAllocating(count: count, align: align, mayMap: true) { return found }
    nest_set_exhausted()
    return nil
  }

  private func tryAllocating(count: Int, align: Int, mayMap: Bool) -> (span: Span, isZeroed: Bool)? {
    lock.lock()
    defer { lock.unlock() }
    decay()
    guard let (chunk, slot) = findRun(count: count, align: align, mayMap: mayMap) else { return nil }
    if chunk.isEmpty { state.pointee.emptyChunks -= 1 }
    let dirty = chunk.setUsed(from: slot, count: count)
    state.pointee.dirtyCount -= dirty
    state.pointee.dirtyLow = min(state.pointee.dirtyLow, state.pointee.dirtyCount)
    if chunk.header.pointee.freeCount == 0 { remove(chunk) }
    return (chunk.span(slot: slot), dirty == 0)
  }

  /// Takes back all slots of a span.
  @_noLocks
  func release(_ span: Span) {
    lock.lock()
    let count = Int(span.record.pointee.slotCount)
    let slot = span.firstSlot
    span.clear()
    setFree(span.chunk, from: slot, count: count)
    decay()
    lock.unlock()
  }

  /// Makes a span, which is one large block, shorter or longer where it is. Returns whether it now has `count` slots.
  @_noLocks
  func resize(_ span: Span, count: Int) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    let old = Int(span.record.pointee.slotCount)
    let chunk = span.chunk
    let end = span.firstSlot + old
    if count < old {
      span.record.pointee.slotCount = UInt16(truncatingIfNeeded: count)
      setFree(chunk, from: span.firstSlot + count, count: old - count)
    } else if count > old {
      guard chunk.isFree(from: end, count: count - old) else { return false }
      let dirty = chunk.setUsed(from: end, count: count - old)
      state.pointee.dirtyCount -= dirty
      state.pointee.dirtyLow = min(state.pointee.dirtyLow, state.pointee.dirtyCount)
      if chunk.header.pointee.freeCount == 0 { remove(chunk) }
      span.record.pointee.slotCount = UInt16(truncatingIfNeeded: count)
    }
    return true
  }

  /// Gives all free memory to the system, at once.
  @_noLocks
  func releaseFreeMemory() {
    lock.lock()
    purge(state.pointee.dirtyCount, keepingChunks: 0)
    state.pointee.dirtyLow = state.pointee.dirtyCount
    lock.unlock()
  }

  /// Gives up to `bytes` of what has been free since the interval began back: other memory is about to take its place.
  @_noLocks
  func releaseIdle(_ bytes: Int) {
    lock.lock()
    let before = state.pointee.dirtyCount
    purge(min(state.pointee.dirtyLow, bytes >> Chunk.slotShift), keepingChunks: 1)
    state.pointee.dirtyLow -= before - state.pointee.dirtyCount
    lock.unlock()
  }

  /// Unmaps the chunks of which every slot is free. Returns whether there were any.
  @_noLocks
  func releaseEmptyChunks() -> Bool {
    lock.lock()
    defer { lock.unlock() }
    if state.pointee.emptyChunks == 0 { return false }
    var candidate = state.pointee.first
    while let chunk = candidate {
      candidate = chunk.header.pointee.next
      if chunk.isEmpty {
        state.pointee.dirtyCount -= chunk.header.pointee.dirtyCount
        unmap(chunk)
      }
    }
    state.pointee.dirtyLow = min(state.pointee.dirtyLow, state.pointee.dirtyCount)
    return true
  }

  // MARK: Under the lock

  private func findRun(count: Int, align: Int, mayMap: Bool) -> (Chunk, Int)? {
    if state.pointee.dirtyCount >= count, let found = findRun(count: count, align: align, dirtyOnly: true) {
      return found
    }
    if let found = findRun(count: count, align: align, dirtyOnly: false) { return found }
    guard mayMap, let chunk = makeChunk() else { return nil }
    return chunk.findRun(count: count, align: align, dirtyOnly: false).map { (chunk, $0) }
  }

  private func findRun(count: Int, align: Int, dirtyOnly: Bool) -> (Chunk, Int)? {
    var candidate = state.pointee.first
    while let chunk = candidate {
      let header = chunk.header
      if header.pointee.longestRun >= count, !dirtyOnly || header.pointee.dirtyCount >= count {
        if let slot = chunk.findRun(count: count, align: align, dirtyOnly: dirtyOnly) { return (chunk, slot) }
        if !dirtyOnly && align == 1 { header.pointee.longestRun = count - 1 }
      }
      candidate = header.pointee.next
    }
    return nil
  }

  private func setFree(_ chunk: Chunk, from slot: Int, count: Int) {
    if chunk.header.pointee.freeCount == 0 { insert(chunk) }
    chunk.setFree(from: slot, count: count, dirty: true)
    state.pointee.dirtyCount += count
    if chunk.isEmpty { state.pointee.emptyChunks += 1 }
  }

  private func makeChunk() -> Chunk? {
    guard let base = mapChunk() else { return nil }
    nest_set_in_chunk(UInt(bitPattern: base), 1)
    state.pointee.hint = UInt(bitPattern: base) - UInt(Chunk.size)
    state.pointee.chunkCount += 1
    state.pointee.emptyChunks += 1
    let chunk = Chunk(base: base)
    insert(chunk)
    chunk.initialize()
    return chunk
  }

  /// Maps 4 MiB at a multiple of 4 MiB: by luck below the last chunk, else by cutting them from twice as much.
  private func mapChunk() -> UnsafeMutableRawPointer? {
    let size = Chunk.size
    if let base = nest_map(UnsafeMutableRawPointer(bitPattern: state.pointee.hint), size) {
      if UInt(bitPattern: base) & UInt(size - 1) == 0 { return base }
      nest_unmap(base, size)
    }
    return mapAligned(size: size, align: size)
  }

  private func decay() {
    guard state.pointee.dirtyCount > PageHeap.dirtyAlways else { return }
    let now = nest_milliseconds()
    guard now - state.pointee.intervalStart >= PageHeap.interval else { return }
    purge(min(state.pointee.dirtyLow, state.pointee.dirtyCount - PageHeap.dirtyAlways), keepingChunks: 1)
    state.pointee.dirtyLow = state.pointee.dirtyCount
    state.pointee.intervalStart = now
  }

  private func purge(_ count: Int, keepingChunks: Int) {
    var left = count
    var candidate = state.pointee.last
    while let chunk = candidate, left > 0 {
      candidate = chunk.header.pointee.previous
      let purged: Int
      if chunk.isEmpty && state.pointee.emptyChunks > keepingChunks {
        purged = chunk.header.pointee.dirtyCount
        unmap(chunk)
      } else {
        purged = chunk.purge(limit: left)
      }
      left -= purged
      state.pointee.dirtyCount -= purged
    }
  }

  private func unmap(_ chunk: Chunk) {
    remove(chunk)
    state.pointee.emptyChunks -= 1
    state.pointee.chunkCount -= 1
    nest_set_in_chunk(UInt(bitPattern: chunk.base), 0)
    nest_unmap(chunk.base, Chunk.size)
  }

  private func insert(_ chunk: Chunk) {
    let header = chunk.header
    header.pointee.previous = nil
    header.pointee.next = state.pointee.first
    if let first = state.pointee.first { first.header.pointee.previous = chunk } else { state.pointee.last = chunk }
    state.pointee.first = chunk
  }

  private func remove(_ chunk: Chunk) {
    let (next, previous) = (chunk.header.pointee.next, chunk.header.pointee.previous)
    if let previous { previous.header.pointee.next = next } else { state.pointee.first = next }
    if let next { next.header.pointee.previous = previous } else { state.pointee.last = previous }
  }
}

extension Chunk {
  /// Whether every slot that can be used is free.
  var isEmpty: Bool { @_noLocks get { header.pointee.freeCount == Chunk.slotCount - Chunk.firstSlot } }
}

/// Maps `size` bytes, a multiple of the page size, at a multiple of `align`, a power of two.
@_noLocks
func mapAligned(size: Int, align: Int) -> UnsafeMutableRawPointer? {
  let (total, overflow) = size.addingReportingOverflow(align)
  guard !overflow, let base = nest_map(nil, total) else { return nil }
  let start = (UInt(bitPattern: base) + UInt(align) - 1) & ~UInt(align - 1)
  let before = Int(start - UInt(bitPattern: base))
  if before > 0 { nest_unmap(base, before) }
  if align - before > 0 { nest_unmap(base + before + size, align - before) }
  return base + before
}

extension PageHeap {
  /// For statistics. While others allocate, it may be of a moment ago.
  var chunkCountWithoutLock: Int { @_noLocks get { state.pointee.chunkCount } }

  var dirtyBytes: Int {
    @_noLocks get {
      lock.lock()
      defer { lock.unlock() }
      return state.pointee.dirtyCount << Chunk.slotShift
    }
  }

  var chunkCount: Int {
    lock.lock()
    defer { lock.unlock() }
    return state.pointee.chunkCount
  }

  var dirtyByteCount: Int {
    lock.lock()
    defer { lock.unlock() }
    return state.pointee.dirtyCount << Chunk.slotShift
  }

  func checkInvariants() {
    lock.lock()
    defer { lock.unlock() }
    var (dirty, empty) = (0, 0)
    var previous: Chunk?
    var candidate = state.pointee.first
    while let chunk = candidate {
      let header = chunk.header.pointee
      precondition(nest_is_in_chunk(UInt(bitPattern: chunk.base)) != 0)
      precondition(header.previous?.base == previous?.base && header.freeCount > 0)
      var (free, ownDirty) = (0, 0)
      for slot in Chunk.firstSlot..<Chunk.slotCount where chunk.isFree(from: slot, count: 1) {
        let record = chunk.span(slot: slot).record
        precondition(record.pointee.owner.load(ordering: .relaxed) == 0)
        precondition(chunk.entry(slot: slot).pointee.reciprocal == 0)
        free += 1
      }
      for word in 0..<Chunk.slotCount / 64 {
        let (freeBits, dirtyBits) = (chunk.freeSlots[word], chunk.dirtySlots[word])
        precondition(freeBits & dirtyBits == dirtyBits)
        ownDirty += dirtyBits.nonzeroBitCount
      }
      precondition(free == header.freeCount && ownDirty == header.dirtyCount)
      dirty += ownDirty
      if chunk.isEmpty { empty += 1 }
      previous = chunk
      candidate = header.next
    }
    precondition(state.pointee.last?.base == previous?.base)
    precondition(dirty == state.pointee.dirtyCount && empty == state.pointee.emptyChunks)
  }
}

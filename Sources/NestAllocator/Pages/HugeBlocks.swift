// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Huge blocks: those above 1 MiB, or aligned to more than a chunk can, each a mapping of its own, or a part of one.
//
//     address map ──▶ record ──▶ record        live blocks, by the 4 MiB in which they begin
//     released    ──▶ record ──▶ …             ranges that wait for another block, by address
//     unused      ──▶ record ──▶ …             records
//
// A released range waits for a while, so that its pages need no page faults: it serves a request that it is large enough for,
// and the rest of it stays; or else the kernel moves the pages of a few into one new range (mremap(2)), which is cheaper than
// to clear fresh ones. What has waited through a whole interval is unmapped (see ``Decay``); what is more than the blocks in
// use make likely to be wanted, at once.
//
// The lock guards the lists. No system call is made under it: a range that one is made for is in none of the lists.

struct HugeBlocks {
  struct State {
    // Lists, by their offsets below.
    var unused: HugeBlock?
    var released: HugeBlock?
    var slabs: HugeBlock?
    /// Of the blocks in use.
    var liveCount: Int
    var liveBytes: Int
    /// The most bytes in use of late.
    var peakBytes: Int
    /// Of the released ranges.
    var releasedCount: Int
    var releasedBytes: Int
    /// The number of the mapping that was made last.
    var mapping: UInt32
    /// Ranges released so far.
    var releases: UInt32
    /// In bytes.
    var decay: Decay
  }

  /// Released ranges that wait.
  private static var releasedLimit: Int { @_noLocks get { 128 } }
  /// Bytes. A rest that is smaller stays with its block.
  static var smallestRest: Int { @_noLocks get { 64 << 10 } }
  /// Bytes of released ranges that may wait where little is in use.
  private static var leastKept: Int { @_noLocks get { 8 << 20 } }
  private static var recordsOfSlab: Int { @_noLocks get { Chunk.pageSize / MemoryLayout<HugeBlock.Record>.stride } }
  /// Bytes that a step of giving back unmaps.
  private static var stepBytes: Int { @_noLocks get { 1 << 20 } }

  private let storage: UnsafeMutableRawPointer

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { self.storage = storage }

  static var shared: HugeBlocks { @_noLocks get { HugeBlocks(nest_huge_blocks()) } }

  var lock: Lock { @_noLocks get { Lock(nest_lock(NEST_HUGE_BLOCKS_LOCK)) } }

  private var state: UnsafeMutablePointer<State> {
    @_noLocks get { storage.assumingMemoryBound(to: State.self) }
  }

  private var unused: HugeBlockList {
    @_noLocks get { HugeBlockList(storage.assumingMemoryBound(to: HugeBlock?.self)) }
  }
  private var released: HugeBlockList {
    @_noLocks get { HugeBlockList((storage + 8).assumingMemoryBound(to: HugeBlock?.self)) }
  }

  /// `size` in whole pages of the system's, one at least; nil where that is no size.
  @_noLocks
  static func byteCount(_ size: Int) -> Int? {
    let page = Int(nest_page_size())
    return size > Int.max - page ? nil : max((size + page - 1) & -page, page)
  }

  // MARK: Blocks

  /// Maps a block of at least `size` bytes. With `zeroed` it is all zeros. Nil when memory is exhausted.
  @_noLocks
  func allocate(size: Int, align: Int, zeroed: Bool) -> UnsafeMutableRawPointer? {
    guard let bytes = HugeBlocks.byteCount(size), let block = takeRecord() else { return nil }
    let isAligned = align <= Int(nest_page_size())
    var isFilled = isAligned && !zeroed && (reuse(bytes, block) || gather(bytes, block)) && unprotect(block)
    if !isFilled {
      // What waits and cannot be used would be on top of it.
      if zeroed { releaseFreeMemory(bytes) }
      isFilled = mapFresh(bytes, align: isAligned ? 1 : align, block)
    }
    guard isFilled, AddressMap.reserve(block.start) else {
      if isFilled { SystemMemory.unmap(block.pointer, block.size) }
      lock.lock()
      unused.push(block)
      lock.unlock()
      return nil
    }
    lock.lock()
    insert(block)
    let step = takeStep()
    lock.unlock()
    finish(step)
    return block.pointer
  }

  /// Bytes of the block at `address`; nil where there is none.
  @_noLocks
  func size(of address: UInt) -> Int? {
    lock.lock()
    defer { lock.unlock() }
    return find(address)?.size
  }

  /// The first block that begins in the cell of `address`, there or behind it, without its guard. Nil where there is none.
  @_noLocks
  func first(from address: UInt) -> (address: UInt, size: Int)? {
    lock.lock()
    defer { lock.unlock() }
    var first: HugeBlock?
    var candidate = AddressMap.firstHugeBlock(address)
    while let block = candidate {
      if block.start >= address, first == nil || block.start < first.unsafelyUnwrapped.start { first = block }
      candidate = block.record.pointee.next
    }
    return first.map { ($0.start, $0.size - $0.record.pointee.guardBytes) }
  }

  /// Releases the block at `address`. Returns whether there was one. With `protects`, it cannot be touched while it waits; it may be
  /// that already, in part, unless it `isOpen`.
  @_noLocks
  func release(_ address: UInt, protects: Bool = false, isOpen: Bool = true) -> Bool {
    lock.lock()
    guard let block = find(address) else {
      lock.unlock()
      return false
    }
    remove(block)
    lock.unlock()
    if isOpen { sample(block) }
    if protects {
      // What consists of several mappings can be protected in part.
      setProtected(
        block, nest_protect(block.pointer, block.size) != 0 || nest_unprotect(block.pointer, block.size) == 0)
    }
    lock.lock()
    let surplus = keep(block)
    let step = takeStep()
    lock.unlock()
    unmapAll(surplus)
    finish(step)
    return true
  }

  /// Resizes the block at `address`. Returns where it now is; nil, and nothing has changed, where that cannot be done.
  @_noLocks
  func resize(_ address: UInt, size: Int, mayMove: Bool) -> UnsafeMutableRawPointer? {
    guard let bytes = HugeBlocks.byteCount(size) else { return nil }
    let spare = takeRecord()
    lock.lock()
    guard let block = find(address) else {
      if let spare { unused.push(spare) }
      lock.unlock()
      return nil
    }
    if bytes <= block.size {
      let surplus = shrink(block, to: bytes, spare)
      lock.unlock()
      unmapAll(surplus)
      return block.pointer
    }
    if let spare { unused.push(spare) }
    let size = block.size
    let hasGrown = growIntoReleased(block, to: bytes)
    let isOneMapping = block.record.pointee.parts == nil
    lock.unlock()
    if hasGrown, unprotectTail(block, from: size) { return block.pointer }
    // Where the system does not take memory back, what it has refused serves, and nothing is moved to new addresses.
    guard isOneMapping, UnreturnedRanges.shared.count == 0 else { return nil }
    // Safety: the block is the caller's, so that nobody else resizes or releases it meanwhile.
    guard let moved = nest_remap(block.pointer, block.size, bytes, mayMove ? 1 : 0) else { return nil }
    return finishResizing(block, moved, bytes)
  }

  private func finishResizing(_ block: HugeBlock, _ moved: UnsafeMutableRawPointer, _ bytes: Int)
    -> UnsafeMutableRawPointer?
  {
    let start = UInt(bitPattern: moved)
    if start != block.start, !AddressMap.reserve(start) {
      // Back to where it can be found.
      if nest_map_at(block.pointer, block.size) == 0 || nest_move(moved, block.size, block.pointer) == 0 {
        nest_die("memory is exhausted, and a block that has been moved cannot be found any more", start)
      }
      SystemMemory.unmap(moved + block.size, bytes - block.size)
      return nil
    }
    lock.lock()
    remove(block)
    if start != block.start { block.record.pointee.mapping = newMapping() }
    block.record.pointee.start = start
    block.record.pointee.size = bytes
    insert(block)
    lock.unlock()
    return moved
  }

  /// Bytes of the smallest range whose pages are moved. Each that is moved stays a mapping of its own: so large that all
  /// together remain far below what the system allows (65,530).
  private var smallestMove: Int {
    lock.lock()
    defer { lock.unlock() }
    return max(64 << 10, state.pointee.liveBytes >> 14)
  }

  // MARK: Without the lock

  /// Has a look at a block that is in no list, part by part.
  private func sample(_ block: HugeBlock) {
    guard var part = block.record.pointee.parts else { return block.sample() }
    part.sample()
    while let next = part.record.pointee.next {
      next.sample()
      part = next
    }
  }

  /// Notes of a block and its parts whether they can be touched.
  private func setProtected(_ block: HugeBlock, _ isProtected: Bool) {
    block.record.pointee.isProtected = isProtected
    var candidate = block.record.pointee.parts
    while let part = candidate {
      part.record.pointee.isProtected = isProtected
      candidate = part.record.pointee.next
    }
  }

  /// Makes a block, which only the caller has, one that can be touched. Where the system refuses, unmaps it and returns false.
  private func unprotect(_ block: HugeBlock) -> Bool {
    if !block.record.pointee.isProtected { return true }
    if nest_unprotect(block.pointer, block.size) != 0 {
      setProtected(block, false)
      return true
    }
    SystemMemory.unmap(block.pointer, block.size)
    lock.lock()
    var candidate = block.record.pointee.parts
    while let part = candidate {
      candidate = part.record.pointee.next
      unused.push(part)
    }
    block.record.pointee.parts = nil
    lock.unlock()
    return false
  }

  /// The same of what a block has grown by; where the system refuses, it has not.
  private func unprotectTail(_ block: HugeBlock, from size: Int) -> Bool {
    if !block.record.pointee.isProtected { return true }
    block.record.pointee.isProtected = false
    let more = block.size - size
    if nest_unprotect(block.pointer + size, more) != 0 { return true }
    lock.lock()
    block.record.pointee.size = size
    state.pointee.liveBytes -= more
    lock.unlock()
    SystemMemory.unmap(block.pointer + size, more)
    return false
  }

  /// Notes what was asked for, and how many bytes its guard has. Of a block of a hardened flavour.
  @_noLocks
  func note(_ address: UInt, size: Int, guardBytes: Int) {
    lock.lock()
    if let block = find(address) {
      block.record.pointee.asked = size
      block.record.pointee.guardBytes = guardBytes
    }
    lock.unlock()
  }

  /// What has been noted; nil where no block begins.
  @_noLocks
  func sizes(of address: UInt) -> (size: Int, guardBytes: Int)? {
    lock.lock()
    defer { lock.unlock() }
    return find(address).map { ($0.record.pointee.asked, $0.record.pointee.guardBytes) }
  }

  /// A record that is in no list. Nil when memory is exhausted.
  private func takeRecord() -> HugeBlock? {
    while true {
      lock.lock()
      let block = unused.pop()
      lock.unlock()
      if let block { return block }
      let page = Int(nest_page_size())
      guard let slab = SystemMemory.map(page) else { return nil }
      let first = HugeBlock(slab.assumingMemoryBound(to: HugeBlock.Record.self))
      lock.lock()
      first.record.pointee.nextSlab = state.pointee.slabs
      state.pointee.slabs = first
      for index in 0..<HugeBlocks.recordsOfSlab { unused.push(HugeBlock(first.record + index)) }
      lock.unlock()
    }
  }

  /// Maps memory, which begins at one of 16 places by chance if the process shuffles its blocks.
  private func mapSomewhere(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let page = Int(nest_page_size())
    guard nest_hardening() & UInt32(NEST_SHUFFLES) != 0, bytes < Int.max - 15 * page,
      let all = SystemMemory.map(bytes + 15 * page)
    else { return SystemMemory.map(bytes) }
    let before = Int(nest_random_below(16)) * page
    if before > 0 { SystemMemory.unmap(all, before) }
    if before < 15 * page { SystemMemory.unmap(all + before + bytes, 15 * page - before) }
    return all + before
  }

  private func mapFresh(_ bytes: Int, align: Int, _ block: HugeBlock) -> Bool {
    guard let start = align == 1 ? mapSomewhere(bytes) : SystemMemory.map(bytes, align: align) else { return false }
    lock.lock()
    set(block, UInt(bitPattern: start), bytes, mapping: newMapping())
    lock.unlock()
    return true
  }

  /// Makes `block` of released ranges that follow each other, the least that suffice. Returns whether there were any.
  private func reuse(_ bytes: Int, _ block: HugeBlock) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    var best: HugeBlock?
    var bestSize = Int.max
    var candidate = state.pointee.released
    while let first = candidate {
      var size = first.size
      var last = first
      while let next = last.record.pointee.next, next.start == last.end {
        size += next.size
        last = next
      }
      if size >= bytes && size < bestSize { (best, bestSize) = (first, size) }
      candidate = last.record.pointee.next
    }
    guard let first = best, let spare = unused.pop() else { return false }
    set(block, first.start, bytes, mapping: first.record.pointee.mapping)
    var (filled, part, parts, lastPart) = (0, first, 0, first)
    while true {
      let next = part.record.pointee.next
      if part.record.pointee.isProtected { block.record.pointee.isProtected = true }
      removeReleased(part)
      part.record.pointee.next = nil
      if parts > 0 { lastPart.record.pointee.next = part }
      (lastPart, parts) = (part, parts + 1)
      filled += part.size
      guard filled < bytes, let next else { break }
      part = next
    }
    let rest = filled - bytes
    if rest >= HugeBlocks.smallestRest {
      set(spare, part.end - UInt(rest), rest, mapping: part.record.pointee.mapping)
      spare.record.pointee.isDense = part.record.pointee.isDense
      spare.record.pointee.isProtected = part.record.pointee.isProtected
      spare.record.pointee.age = part.record.pointee.age
      part.record.pointee.size -= rest
      addReleased(spare)
    } else {
      block.record.pointee.size = filled
      unused.push(spare)
    }
    if parts == 1 { unused.push(first) } else { block.record.pointee.parts = first }
    return true
  }

  /// Makes `block` a mapping of the pages of released ranges, the largest first, and of fresh pages where these are not
  /// enough. Returns whether that could be done.
  private func gather(_ bytes: Int, _ block: HugeBlock) -> Bool {
    guard UnreturnedRanges.shared.count == 0 else { return false }
    let least = smallestMove
    // To move pages that were never written saves nothing. One range that is nearly enough saves the call for a new one.
    guard let first = takeLargestReleased(atLeast: least, orAnyOf: bytes / 2) else { return false }
    // The first one grows, which moves it where there is no room behind it. It fails where the system forbids it, too: then
    // fresh pages do, and these go back.
    guard let start = nest_remap(first.pointer, first.size, bytes, 1) else {
      unmap(first)
      return false
    }
    var (filled, last, parts, isProtected) = (first.size, first, 1, first.record.pointee.isProtected)
    first.record.pointee.start = UInt(bitPattern: start)
    first.record.pointee.next = nil
    while bytes - filled >= least, let piece = takeLargestReleased(atLeast: least, orAnyOf: .max) {
      let size = min(piece.size, bytes - filled)
      guard let part = size == piece.size ? piece : takeRecord() else {
        keepAgain(piece)
        break
      }
      let source = piece.pointer
      if piece.record.pointee.isProtected { isProtected = true }
      if size < piece.size {
        piece.record.pointee.start += UInt(size)
        piece.record.pointee.size -= size
        keepAgain(piece)
      }
      part.record.pointee.start = UInt(bitPattern: start) + UInt(filled)
      part.record.pointee.size = size
      part.record.pointee.next = nil
      guard nest_move(source, size, start + filled) != 0 else {
        // Something else may be in the gap by now: it stays as it is. The pages have not moved.
        part.record.pointee.start = UInt(bitPattern: source)
        let rest = bytes - filled - size
        if rest > 0 { SystemMemory.unmap(start + filled + size, rest) }
        unmap(part)
        unmapAll(first)
        return false
      }
      last.record.pointee.next = part
      (last, parts) = (part, parts + 1)
      filled += size
    }
    if filled < bytes, parts > 1 {
      // What has moved in divides the one that has grown.
      if let rest = takeRecord() {
        rest.record.pointee.start = UInt(bitPattern: start) + UInt(filled)
        rest.record.pointee.size = bytes - filled
        rest.record.pointee.next = nil
        last.record.pointee.next = rest
      } else {
        last.record.pointee.size += bytes - filled
      }
    }
    lock.lock()
    set(block, UInt(bitPattern: start), bytes, mapping: newMapping())
    block.record.pointee.isProtected = isProtected
    if parts == 1 {
      unused.push(first)
    } else {
      block.record.pointee.parts = first
      var candidate: HugeBlock? = first
      while let part = candidate {
        part.record.pointee.mapping = newMapping()
        candidate = part.record.pointee.next
      }
    }
    lock.unlock()
    return true
  }

  /// Releases what is left of a range that has just been taken.
  private func keepAgain(_ range: HugeBlock) {
    if range.size < HugeBlocks.smallestRest { return unmap(range) }
    lock.lock()
    addReleased(range)
    lock.unlock()
  }

  /// The largest range of at least `least` bytes that is dense, or of `any` bytes.
  private func takeLargestReleased(atLeast least: Int, orAnyOf any: Int) -> HugeBlock? {
    lock.lock()
    defer { lock.unlock() }
    var largest: HugeBlock?
    var candidate = state.pointee.released
    while let range = candidate {
      if range.size >= (range.record.pointee.isDense ? least : any),
        largest == nil || range.size > largest.unsafelyUnwrapped.size
      {
        largest = range
      }
      candidate = range.record.pointee.next
    }
    if let largest { removeReleased(largest) }
    return largest
  }

  /// Unmaps the ranges of a list that only the caller has.
  private func unmapAll(_ list: HugeBlock?) {
    var candidate = list
    while let range = candidate {
      candidate = range.record.pointee.next
      unmap(range)
    }
  }

  /// Unmaps a range that only the caller has.
  private func unmap(_ range: HugeBlock) {
    if range.size > 0 { SystemMemory.unmap(range.pointer, range.size) }
    lock.lock()
    unused.push(range)
    lock.unlock()
  }

  /// Unmaps released ranges of `bytes`, the oldest first, as far as there are so many.
  @_noLocks
  func releaseFreeMemory(_ bytes: Int) {
    var left = bytes
    while left > 0 {
      lock.lock()
      let oldest = oldestReleased
      if let oldest { removeReleased(oldest) }
      lock.unlock()
      guard let oldest else { return }
      left -= oldest.size
      unmap(oldest)
    }
  }

  /// Unmaps what is due, in steps, and returns whether something may become due later. For the helper.
  @_noLocks
  func releaseDue() -> Bool {
    while true {
      lock.lock()
      let step = takeStep()
      let isLeft = state.pointee.releasedBytes > 0
      lock.unlock()
      if step.size == 0 { return isLeft }
      finish(step)
    }
  }

  /// A part of a released range on its way to the system, of size 0 if there is none.
  private struct Step {
    let start: UInt
    let size: Int

    @_noLocks
    init(_ start: UInt, _ size: Int) {
      self.start = start
      self.size = size
    }
  }

  private func finish(_ step: Step) {
    if step.size > 0, let start = UnsafeMutableRawPointer(bitPattern: step.start) {
      SystemMemory.unmap(start, step.size)
    }
  }

  // MARK: Under the lock

  private func newMapping() -> UInt32 {
    state.pointee.mapping &+= 1
    return state.pointee.mapping
  }

  private func set(_ block: HugeBlock, _ start: UInt, _ size: Int, mapping: UInt32) {
    block.record.pointee.start = start
    block.record.pointee.size = size
    block.record.pointee.mapping = mapping
    block.record.pointee.parts = nil
    block.record.pointee.isDense = false
    block.record.pointee.isProtected = false
    block.record.pointee.asked = 0
    block.record.pointee.guardBytes = 0
  }

  private func find(_ address: UInt) -> HugeBlock? {
    var candidate = AddressMap.firstHugeBlock(address)
    while let block = candidate {
      if block.start == address { return block }
      candidate = block.record.pointee.next
    }
    return nil
  }

  private func insert(_ block: HugeBlock) {
    block.record.pointee.isLive = true
    block.record.pointee.next = AddressMap.firstHugeBlock(block.start)
    AddressMap.setFirstHugeBlock(block.start, block)
    state.pointee.liveCount += 1
    state.pointee.liveBytes += block.size
    state.pointee.peakBytes = max(state.pointee.peakBytes, state.pointee.liveBytes)
  }

  private func remove(_ block: HugeBlock) {
    let first = AddressMap.firstHugeBlock(block.start)
    if first?.record == block.record {
      AddressMap.setFirstHugeBlock(block.start, block.record.pointee.next)
    } else {
      var candidate = first
      while let previous = candidate {
        candidate = previous.record.pointee.next
        if candidate?.record == block.record { previous.record.pointee.next = block.record.pointee.next }
      }
    }
    block.record.pointee.isLive = false
    state.pointee.liveCount -= 1
    state.pointee.liveBytes -= block.size
  }

  private func addReleased(_ range: HugeBlock) {
    released.insert(range)
    state.pointee.releasedCount += 1
    state.pointee.releasedBytes += range.size
  }

  private func removeReleased(_ range: HugeBlock) {
    released.remove(range)
    state.pointee.releasedCount -= 1
    state.pointee.releasedBytes -= range.size
    state.pointee.decay.note(free: state.pointee.releasedBytes)
  }

  private var oldestReleased: HugeBlock? {
    var oldest: HugeBlock?
    var candidate = state.pointee.released
    while let range = candidate {
      if oldest == nil || range.record.pointee.age < oldest.unsafelyUnwrapped.record.pointee.age { oldest = range }
      candidate = range.record.pointee.next
    }
    return oldest
  }

  /// Makes a block that is in no list released ranges, one for each mapping that it lies in. Returns the first of a list of
  /// ranges that are too much, for the caller to unmap.
  private func keep(_ block: HugeBlock) -> HugeBlock? {
    var surplus: HugeBlock?
    guard var part = block.record.pointee.parts else {
      keepOne(block, &surplus)
      return surplus
    }
    block.record.pointee.parts = nil
    unused.push(block)
    while true {
      let next = part.record.pointee.next
      keepOne(part, &surplus)
      guard let next else { return surplus }
      part = next
    }
  }

  private func keepOne(_ block: HugeBlock, _ surplus: inout HugeBlock?) {
    // In one piece with those of its mapping that it touches.
    var candidate = state.pointee.released
    while let other = candidate {
      candidate = other.record.pointee.next
      guard other.record.pointee.mapping == block.record.pointee.mapping else { continue }
      guard other.end == block.start || block.end == other.start else { continue }
      removeReleased(other)
      if other.start < block.start { block.record.pointee.start = other.start }
      block.record.pointee.size += other.size
      if other.record.pointee.isProtected { block.record.pointee.isProtected = true }
      unused.push(other)
    }
    // With what is in use, as much as was in use of late and an eighth; but no more than is in use, since where nothing calls any
    // more, nothing decays.
    let (live, peak) = (state.pointee.liveBytes, state.pointee.peakBytes)
    let limit = max(HugeBlocks.leastKept, min(peak / 8 * 9 - live, live))
    if block.size > limit {
      block.record.pointee.next = surplus
      surplus = block
      return
    }
    while state.pointee.releasedCount == HugeBlocks.releasedLimit || state.pointee.releasedBytes + block.size > limit,
      let oldest = oldestReleased
    {
      removeReleased(oldest)
      oldest.record.pointee.next = surplus
      surplus = oldest
    }
    state.pointee.releases &+= 1
    block.record.pointee.age = state.pointee.releases
    addReleased(block)
  }

  /// Makes a block smaller where it is, with a record for what is cut off. Returns ranges as ``keep(_:)`` does.
  private func shrink(_ block: HugeBlock, to bytes: Int, _ spare: HugeBlock?) -> HugeBlock? {
    let old = block.size
    guard let tail = spare, old - bytes >= HugeBlocks.smallestRest || bytes <= old / 2, bytes < old else {
      if let spare { unused.push(spare) }
      return nil
    }
    let end = block.start + UInt(bytes)
    set(tail, end, old - bytes, mapping: block.record.pointee.mapping)
    block.record.pointee.size = bytes
    state.pointee.liveBytes -= old - bytes
    guard var part = block.record.pointee.parts else { return keep(tail) }
    // The parts that end before the new end stay; one that reaches over it is divided.
    while part.end < end, let next = part.record.pointee.next { part = next }
    var surplus: HugeBlock?
    var candidate = part.record.pointee.next
    part.record.pointee.next = nil
    if part.end > end {
      tail.record.pointee.size = Int(part.end - end)
      tail.record.pointee.mapping = part.record.pointee.mapping
      part.record.pointee.size = Int(end - part.start)
      keepOne(tail, &surplus)
    } else {
      unused.push(tail)
    }
    while let range = candidate {
      candidate = range.record.pointee.next
      keepOne(range, &surplus)
    }
    return surplus
  }

  /// Lengthens a block by a released range that begins at its end, if there is one and it is enough.
  private func growIntoReleased(_ block: HugeBlock, to bytes: Int) -> Bool {
    let needed = bytes - block.size
    var candidate = state.pointee.released
    while let range = candidate {
      candidate = range.record.pointee.next
      // Only of its own mapping: the block stays in one.
      guard range.start == block.end, range.size >= needed, block.record.pointee.parts == nil,
        range.record.pointee.mapping == block.record.pointee.mapping
      else { continue }
      removeReleased(range)
      block.record.pointee.isProtected = range.record.pointee.isProtected
      if range.size > needed {
        range.record.pointee.start += UInt(needed)
        range.record.pointee.size -= needed
        addReleased(range)
      } else {
        unused.push(range)
      }
      block.record.pointee.size = bytes
      state.pointee.liveBytes += needed
      return true
    }
    return false
  }

  /// Takes out what is to be given back next: the end of the oldest range, or all of it.
  private func takeStep() -> Step {
    guard state.pointee.releasedCount > 0 else { return Step(0, 0) }
    if state.pointee.decay.due == 0 {
      let isOver = state.pointee.decay.tick(now: nest_milliseconds(), free: state.pointee.releasedBytes, kept: 0)
      if isOver { state.pointee.peakBytes -= (state.pointee.peakBytes - state.pointee.liveBytes) / 2 }
    }
    guard state.pointee.decay.due > 0, let oldest = oldestReleased else { return Step(0, 0) }
    if oldest.size <= HugeBlocks.stepBytes {
      let step = Step(oldest.start, oldest.size)
      removeReleased(oldest)
      unused.push(oldest)
      state.pointee.decay.noteReturned(step.size, free: state.pointee.releasedBytes)
      return step
    }
    oldest.record.pointee.size -= HugeBlocks.stepBytes
    state.pointee.releasedBytes -= HugeBlocks.stepBytes
    state.pointee.decay.noteReturned(HugeBlocks.stepBytes, free: state.pointee.releasedBytes)
    return Step(oldest.end, HugeBlocks.stepBytes)
  }

  /// Mends what a change was not ended of, in a child whose parent's other threads were about to make it. A block that one of them
  /// was entering into the address map, or removing from it, is nobody's here.
  @_noLocks
  func recount() {
    var slab = state.pointee.slabs
    while let first = slab {
      for index in 0..<HugeBlocks.recordsOfSlab where first.record[index].isLive {
        let record = first.record + index
        if find(record.pointee.start)?.record != record { record.pointee.isLive = false }
      }
      slab = first.record.pointee.nextSlab
    }
    count()
  }

  /// Counts anew what the lists say.
  private func count() {
    state.pointee.liveCount = 0
    state.pointee.liveBytes = 0
    var slab = state.pointee.slabs
    while let first = slab {
      for index in 0..<HugeBlocks.recordsOfSlab where first.record[index].isLive {
        state.pointee.liveCount += 1
        state.pointee.liveBytes += first.record[index].size
      }
      slab = first.record.pointee.nextSlab
    }
    state.pointee.releasedCount = 0
    state.pointee.releasedBytes = 0
    var candidate = state.pointee.released
    while let range = candidate {
      state.pointee.releasedCount += 1
      state.pointee.releasedBytes += range.size
      candidate = range.record.pointee.next
    }
    state.pointee.decay = Decay()
  }
}

extension HugeBlocks {
  /// Blocks, their bytes, bytes of released ranges, and of the records.
  var totals: (count: Int, liveBytes: Int, releasedBytes: Int, metadataBytes: Int) {
    @_noLocks get {
      lock.lock()
      defer { lock.unlock() }
      var slabs = 0
      var candidate = state.pointee.slabs
      while let slab = candidate {
        slabs += 1
        candidate = slab.record.pointee.nextSlab
      }
      return (
        state.pointee.liveCount, state.pointee.liveBytes, state.pointee.releasedBytes,
        slabs * max(Chunk.pageSize, Int(nest_page_size()))
      )
    }
  }

  /// Bytes of released ranges that are still mapped.
  var releasedByteCount: Int {
    lock.lock()
    defer { lock.unlock() }
    return state.pointee.releasedBytes
  }

  func checkInvariants() {
    precondition(MemoryLayout<State>.size <= 256)
    lock.lock()
    defer { lock.unlock() }
    let (liveCount, liveBytes) = (state.pointee.liveCount, state.pointee.liveBytes)
    let (releasedCount, releasedBytes) = (state.pointee.releasedCount, state.pointee.releasedBytes)
    let decay = state.pointee.decay
    count()
    state.pointee.decay = decay
    precondition(liveCount == state.pointee.liveCount && liveBytes == state.pointee.liveBytes)
    precondition(releasedCount == state.pointee.releasedCount && releasedBytes == state.pointee.releasedBytes)
    precondition(releasedCount <= HugeBlocks.releasedLimit)
    var slab = state.pointee.slabs
    while let first = slab {
      for index in 0..<HugeBlocks.recordsOfSlab where first.record[index].isLive {
        precondition(find(first.record[index].start)?.record == first.record + index, "a block cannot be found")
      }
      slab = first.record.pointee.nextSlab
    }
  }
}

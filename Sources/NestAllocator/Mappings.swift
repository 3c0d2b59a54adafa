// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// Blocks above 1 MiB, or aligned to more than a chunk can: each a mapping of its own, or a part of one.
//
// Live ones are in a hash table by address, so a block needs no header and begins on a page. Released ones stay for a
// while in a short list, and serve later requests without page faults: the smallest that is large enough, whose rest
// stays in the list; or else several, whose pages (not their contents) the system moves into one range. So they never lie
// there in pieces that are all too small. What was in the list through a whole interval is unmapped (see ``PageHeap``).
//
// A block of such pages lies in several mappings of the system, which mremap(2) resizes only one by one: it is copied then.

struct Mappings {
  struct Mapping {
    var start: UInt
    var size: Int
  }

  struct State: ~Copyable {
    /// The table: open addressing, a power of two of entries, those with a start of 0 empty.
    var table: UnsafeMutablePointer<Mapping>?
    var capacity: Int
    var count: Int
    /// Bytes of the blocks in the table.
    var liveBytes: Int
    /// The most of them of late.
    var peakBytes: Int
    /// Bytes of released mappings, now and at least since the interval began.
    var releasedBytes: Int
    var releasedLow: Int
    /// Milliseconds.
    var intervalStart: Int64
    var releasedCount: Int
    // Here `Mappings.releasedLimit` released mappings follow, the oldest first.
  }

  private static var releasedLimit: Int { @_noLocks get { 64 } }
  /// Bytes. A rest that is smaller stays with its block.
  private static var smallestRest: Int { @_noLocks get { 64 << 10 } }
  /// Bytes of the smallest piece that is moved, and how many pieces there should be at most.
  private static var smallestPiece: Int { @_noLocks get { 16 << 10 } }
  private static var mostPieces: Int { @_noLocks get { 1 << 14 } }
  /// Milliseconds.
  private static var interval: Int64 { @_noLocks get { 250 } }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: Mappings { @_noLocks get { Mappings(nest_mappings()) } }

  var lock: Lock {
    @_noLocks get { Lock(nest_lock(1)) }
  }

  private var released: UnsafeMutablePointer<Mapping> {
    (UnsafeMutableRawPointer(state) + 128).assumingMemoryBound(to: Mapping.self)
  }

  /// Maps a block of at least `size` bytes. With `zeroed` it is all zeros.
  @_noLocks
  func allocate(size: Int, align: Int, zeroed: Bool) -> UnsafeMutableRawPointer? {
    let page = Int(nest_page_size())
    guard size <= Int.max - page else { return nil }
    let bytes = max((size + page - 1) & -page, page)
    lock.lock()
    defer { lock.unlock() }
    guard reserveEntry() else {
      nest_set_exhausted()
      return nil
    }
    let mapping: Mapping
    if align <= page, !zeroed, let reused = reuse(bytes) {
      mapping = reused
    } else {
      if zeroed { evict(bytes) }
      guard let start = mapFresh(bytes, align: align, page: page) else { return nil }
      mapping = Mapping(start: UInt(bitPattern: start), size: bytes)
    }
    insert(mapping)
    decay()
    return UnsafeMutableRawPointer(bitPattern: mapping.start)
  }

  /// Bytes of the block at `address`; nil where there is none.
  @_noLocks
  func size(of address: UInt) -> Int? {
    lock.lock()
    defer { lock.unlock() }
    return find(address).map { state.pointee.table.unsafelyUnwrapped[$0].size }
  }

  /// Releases the block at `address`. Returns whether there was one.
  @_noLocks
  func release(_ address: UInt) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard let index = find(address) else { return false }
    let mapping = state.pointee.table.unsafelyUnwrapped[index]
    remove(index)
    keep(mapping)
    decay()
    return true
  }

  /// Resizes the block at `address`. Returns where it now is; nil, and nothing has changed, where that cannot be done.
  @_noLocks
  func resize(_ address: UInt, size: Int, mayMove: Bool) -> UnsafeMutableRawPointer? {
    let page = Int(nest_page_size())
    guard size <= Int.max - page else { return nil }
    let bytes = max((size + page - 1) & -page, page)
    lock.lock()
    defer { lock.unlock() }
    guard let index = find(address), let pointer = UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    let old = state.pointee.table.unsafelyUnwrapped[index]
    if bytes <= old.size {
      if old.size - bytes < Mappings.smallestRest && bytes > old.size / 2 { return pointer }
      state.pointee.table.unsafelyUnwrapped[index].size = bytes
      state.pointee.liveBytes -= old.size - bytes
      keep(Mapping(start: address + UInt(bytes), size: old.size - bytes))
      return pointer
    }
    if let grown = growIntoReleased(index, bytes) { return grown }
    PageHeap.shared.releaseIdle(bytes - old.size)
    while true {
      if let moved = nest_remap(pointer, old.size, bytes, mayMove ? 1 : 0) {
        remove(index)
        insert(Mapping(start: UInt(bitPattern: moved), size: bytes))
        return moved
      }
      // Where it may not move, something else is most likely in the way.
      guard mayMove, makeRoom() else { return nil }
    }
  }

  /// Unmaps released mappings of `bytes`, as far as there are so many.
  @_noLocks
  func releaseFreeMemory(_ bytes: Int) {
    lock.lock()
    evict(bytes)
    lock.unlock()
  }

  // MARK: Released mappings, under the lock

  private func mapFresh(_ bytes: Int, align: Int, page: Int) -> UnsafeMutableRawPointer? {
    PageHeap.shared.releaseIdle(bytes)
    while true {
      if let start = align <= page ? nest_map(nil, bytes) : mapAligned(size: bytes, align: align) { return start }
      if !makeRoom() {
        nest_set_exhausted()
        return nil
      }
    }
  }

  /// Address space or memory is short: gives back what is kept here, and then what the page heap keeps. Returns whether there
  /// was anything. The page heap's lock is taken under this one, never the other way round.
  private func makeRoom() -> Bool {
    if state.pointee.releasedCount > 0 {
      evict(Int.max)
      return true
    }
    return PageHeap.shared.releaseEmptyChunks()
  }

  private func reuse(_ bytes: Int) -> Mapping? {
    let count = state.pointee.releasedCount
    // The index of the smallest that is large enough; `count` for none.
    var best = count
    for index in 0..<count where released[index].size >= bytes {
      if best == count || released[index].size < released[best].size { best = index }
    }
    if best < count {
      var mapping = released[best]
      let rest = mapping.size - bytes
      if rest < Mappings.smallestRest {
        removeReleased(best)
      } else {
        mapping.size = bytes
        released[best] = Mapping(start: mapping.start + UInt(bytes), size: rest)
        setReleasedBytes(state.pointee.releasedBytes - bytes)
      }
      return mapping
    }
    return gather(bytes)
  }

  /// Makes a mapping of the pages of released ones, the largest first, and of new pages where these are not enough.
  private func gather(_ bytes: Int) -> Mapping? {
    guard state.pointee.releasedBytes >= bytes / 8, let start = nest_map(nil, bytes) else { return nil }
    // Each piece stays a mapping of its own: so many that all together remain far below what the system allows (65,530).
    let least = max(Mappings.smallestPiece, state.pointee.liveBytes / Mappings.mostPieces)
    var filled = 0
    while filled < bytes, let largest = largestReleased, released[largest].size >= least {
      let piece = released[largest]
      let move = nest_move_pages(
        piece.start, min(piece.size, bytes - filled), UInt(bitPattern: start) + UInt(filled), least)
      removeReleased(largest)
      filled += move.moved
      let rest = Mapping(start: piece.start + UInt(move.used), size: piece.size - move.used)
      if move.used > 0 && rest.size >= least { append(rest) } else if rest.size > 0 { unmap(rest) }
      if move.lost > 0 {
        // Something else may be in the gap by now: it stays as it is.
        nest_unmap(start, filled)
        nest_unmap(start + filled + move.lost, bytes - filled - move.lost)
        return nil
      }
    }
    return Mapping(start: UInt(bitPattern: start), size: bytes)
  }

  /// The index of the largest released mapping; nil where there is none.
  private var largestReleased: Int? {
    var largest: Int?
    for index in 0..<state.pointee.releasedCount {
      if let other = largest, released[other].size >= released[index].size { continue }
      largest = index
    }
    return largest
  }

  /// Lengthens the block of entry `index` by a released mapping that begins at its end, if there is one and it is enough.
  private func growIntoReleased(_ index: Int, _ bytes: Int) -> UnsafeMutableRawPointer? {
    let entry = state.pointee.table.unsafelyUnwrapped + index
    let end = entry.pointee.start + UInt(entry.pointee.size)
    let needed = bytes - entry.pointee.size
    for other in 0..<state.pointee.releasedCount where released[other].start == end && released[other].size >= needed {
      let rest = released[other].size - needed
      released[other] = Mapping(start: end + UInt(needed), size: rest)
      setReleasedBytes(state.pointee.releasedBytes - needed)
      if rest == 0 { removeReleased(other) }
      entry.pointee.size = bytes
      state.pointee.liveBytes += needed
      state.pointee.peakBytes = max(state.pointee.peakBytes, state.pointee.liveBytes)
      return UnsafeMutableRawPointer(bitPattern: entry.pointee.start)
    }
    return nil
  }

  /// Adds a mapping to the released ones, in one piece with those that it touches, and unmaps what is too much.
  private func keep(_ mapping: Mapping) {
    var mapping = mapping
    var index = 0
    while index < state.pointee.releasedCount {
      let other = released[index]
      if other.start + UInt(other.size) == mapping.start {
        mapping = Mapping(start: other.start, size: other.size + mapping.size)
      } else if mapping.start + UInt(mapping.size) == other.start {
        mapping.size += other.size
      } else {
        index += 1
        continue
      }
      removeReleased(index)
    }
    // No more than an eighth above what has been live of late.
    let limit = max(state.pointee.peakBytes / 8 * 9 - state.pointee.liveBytes, 0)
    if mapping.size > limit {
      // The end goes: the start is what a smaller request will take.
      let kept = limit & ~(Int(nest_page_size()) - 1)
      unmap(Mapping(start: mapping.start + UInt(kept), size: mapping.size - kept))
      if kept == 0 { return }
      mapping.size = kept
    }
    while state.pointee.releasedCount == Mappings.releasedLimit || state.pointee.releasedBytes + mapping.size > limit {
      unmap(released[0])
      removeReleased(0)
    }
    append(mapping)
  }

  private func append(_ mapping: Mapping) {
    released[state.pointee.releasedCount] = mapping
    state.pointee.releasedCount += 1
    state.pointee.releasedBytes += mapping.size
  }

  /// Unmaps at least `bytes` of what has been released, if there are so many.
  private func evict(_ bytes: Int) {
    var left = bytes
    while left > 0, state.pointee.releasedCount > 0 {
      let oldest = released[0]
      var size = oldest.size
      // The end of one that is much larger is enough.
      if size - left >= 2 * Mappings.smallestRest { size = (left + Mappings.smallestRest - 1) & -Mappings.smallestRest }
      unmap(Mapping(start: oldest.start + UInt(oldest.size - size), size: size))
      left -= size
      if size == oldest.size {
        removeReleased(0)
      } else {
        released[0].size -= size
        setReleasedBytes(state.pointee.releasedBytes - size)
      }
    }
  }

  private func removeReleased(_ index: Int) {
    setReleasedBytes(state.pointee.releasedBytes - released[index].size)
    state.pointee.releasedCount -= 1
    for i in index..<max(state.pointee.releasedCount, index) { released[i] = released[i + 1] }
  }

  private func setReleasedBytes(_ bytes: Int) {
    state.pointee.releasedBytes = bytes
    state.pointee.releasedLow = min(state.pointee.releasedLow, bytes)
  }

  private func unmap(_ mapping: Mapping) {
    guard let start = UnsafeMutableRawPointer(bitPattern: mapping.start) else { return }
    nest_unmap(start, mapping.size)
  }

  private func decay() {
    guard state.pointee.releasedCount > 0 else { return }
    let now = nest_milliseconds()
    guard now - state.pointee.intervalStart >= Mappings.interval else { return }
    evict(state.pointee.releasedLow)
    state.pointee.releasedLow = state.pointee.releasedBytes
    state.pointee.peakBytes -= (state.pointee.peakBytes - state.pointee.liveBytes) / 2
    state.pointee.intervalStart = now
  }

  // MARK: The table, under the lock

  private func slot(_ address: UInt) -> Int {
    Int(truncatingIfNeeded: (address >> 12) &* 0x9e37_79b9_7f4a_7c15 >> 20) & (state.pointee.capacity - 1)
  }

  private func find(_ address: UInt) -> Int? {
    guard let table = state.pointee.table, address != 0 else { return nil }
    var index = slot(address)
    while table[index].start != 0 {
      if table[index].start == address { return index }
      index = (index + 1) & (state.pointee.capacity - 1)
    }
    return nil
  }

  /// There is room, see ``reserveEntry()``.
  private func insert(_ mapping: Mapping) {
    guard let table = state.pointee.table else { return }
    var index = slot(mapping.start)
    while table[index].start != 0 { index = (index + 1) & (state.pointee.capacity - 1) }
    table[index] = mapping
    state.pointee.count += 1
    state.pointee.liveBytes += mapping.size
    state.pointee.peakBytes = max(state.pointee.peakBytes, state.pointee.liveBytes)
  }

  /// Removes an entry, and moves up those behind it that would not be found over the gap.
  private func remove(_ removed: Int) {
    guard let table = state.pointee.table else { return }
    let mask = state.pointee.capacity - 1
    state.pointee.count -= 1
    state.pointee.liveBytes -= table[removed].size
    var gap = removed
    var index = removed
    while true {
      index = (index + 1) & mask
      if table[index].start == 0 { break }
      let home = slot(table[index].start)
      if (index - home) & mask >= (index - gap) & mask {
        table[gap] = table[index]
        gap = index
      }
    }
    table[gap].start = 0
  }

  /// Makes room for one more entry, a quarter of the table at least. Returns false where memory is exhausted.
  private func reserveEntry() -> Bool {
    let old = state.pointee.capacity
    if state.pointee.count * 4 < old * 3 { return true }
    let entrySize = MemoryLayout<Mapping>.stride
    let capacity = max(old * 2, Int(nest_page_size()) / entrySize)
    guard let memory = nest_map(nil, capacity * entrySize) else { return false }
    let oldTable = state.pointee.table
    state.pointee.table = memory.assumingMemoryBound(to: Mapping.self)
    state.pointee.capacity = capacity
    guard let oldTable else { return true }
    state.pointee.count = 0
    state.pointee.liveBytes = 0
    for index in 0..<old where oldTable[index].start != 0 { insert(oldTable[index]) }
    nest_unmap(oldTable, old * entrySize)
    return true
  }
}

extension Mappings {
  /// Blocks, their bytes, bytes of released mappings and of the table.
  var totals: (count: Int, liveBytes: Int, releasedBytes: Int, tableBytes: Int) {
    @_noLocks get {
      lock.lock()
      defer { lock.unlock() }
      return (
        state.pointee.count, state.pointee.liveBytes, state.pointee.releasedBytes,
        state.pointee.capacity * MemoryLayout<Mapping>.stride
      )
    }
  }

  func checkInvariants() {
    lock.lock()
    defer { lock.unlock() }
    var (count, live) = (0, 0)
    for index in 0..<state.pointee.capacity {
      guard let mapping = state.pointee.table?[index], mapping.start != 0 else { continue }
      precondition(find(mapping.start) == index, "a block cannot be found")
      count += 1
      live += mapping.size
    }
    precondition(count == state.pointee.count && live == state.pointee.liveBytes)
    var bytes = 0
    for index in 0..<state.pointee.releasedCount { bytes += released[index].size }
    precondition(bytes == state.pointee.releasedBytes && state.pointee.releasedCount <= Mappings.releasedLimit)
  }
}

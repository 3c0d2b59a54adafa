// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A heap's transfer cache: lists of free blocks, each of one class and of any spans, which are kept as they came until a thread
// wants one. To take a list to pieces, block by block, and to gather as many from other spans, costs many times as much.
//
//     entries(1…64)      a ring: the next list goes behind the last one
//     tops(1…80)         per class, the entry that came last; each leads to the one before
//     demand(1…80)       per class, how many more lists were wanted than came: none is kept that nobody asks for
//
// For their spans, the blocks are used. The lists go back where a new span is made, the oldest first, since what they keep from
// other uses may be what was wanted; and those that were there at the helper's last two looks. Under the heap's lock.

package struct TransferCache {
  /// A list, or a place for one. A child of fork trusts what has a count, so that is written last, and cleared first.
  struct Entry: ~Copyable {
    var first: UnsafeMutableRawPointer
    /// Blocks, 0 where there is no list.
    let count: Atomic<UInt16>
    var sizeClass: UInt8
    /// Whether it was there when the helper looked last.
    var isOld: Bool
    /// The number of the entry of the same class that came before, 0 for none.
    var next: UInt8
  }

  struct State: ~Copyable {
    /// Bytes of the blocks in all lists.
    var bytes: Int
    /// Lists.
    var count: Int
    /// The entry for the next list, from 0, or one in front of it.
    var hand: Int
  }

  private let base: UnsafeMutableRawPointer

  /// In zeroed memory.
  @_noLocks
  package init(base: UnsafeMutableRawPointer) { self.base = base }

  // Bytes.
  private static var topsOffset: Int { @_noLocks get { 24 } }
  private static var demandOffset: Int { @_noLocks get { 112 } }
  private static var entriesOffset: Int { @_noLocks get { 208 } }
  private static var entryCount: Int { @_noLocks get { 64 } }
  package static var byteCount: Int { @_noLocks get { entriesOffset + entryCount * MemoryLayout<Entry>.stride } }

  /// Bytes of blocks that are kept.
  package static var mostBytes: Int { @_noLocks get { 512 << 10 } }

  private var state: UnsafeMutablePointer<State> { @_noLocks get { base.assumingMemoryBound(to: State.self) } }

  private var tops: UnsafeMutablePointer<UInt8> {
    @_noLocks get { (base + TransferCache.topsOffset).assumingMemoryBound(to: UInt8.self) }
  }

  private var demand: UnsafeMutablePointer<UInt8> {
    @_noLocks get { (base + TransferCache.demandOffset).assumingMemoryBound(to: UInt8.self) }
  }

  private var entries: UnsafeMutablePointer<Entry> {
    @_noLocks get { (base + TransferCache.entriesOffset).assumingMemoryBound(to: Entry.self) }
  }

  package var bytes: Int { @_noLocks get { state.pointee.bytes } }

  package var isEmpty: Bool { @_noLocks get { state.pointee.bytes == 0 } }

  // MARK: Lists

  /// Takes the list of class `index` that came last. Nil where there is none; then, too, it was wanted.
  @_noLocks
  package func take(_ index: Int) -> (first: UnsafeMutableRawPointer, count: Int)? {
    if demand[index] < .max { demand[index] += 1 }
    let top = Int(tops[index])
    if top == 0 { return nil }
    return remove(top - 1)
  }

  /// Whether a list of `count` blocks of class `index` may come: somebody wants one, and there is room. No other one goes for it, since
  /// the blocks of that have not been touched for longer.
  @_noLocks
  package func wants(_ index: Int, count: Int) -> Bool {
    let bytes = count * SizeClass.blockSize(index)
    return demand[index] > 0 && bytes <= TransferCache.mostBytes / 4
      && state.pointee.bytes + bytes <= TransferCache.mostBytes && state.pointee.count < TransferCache.entryCount
  }

  /// Adds a list of `count` blocks of class `index`, for which there is room.
  @_noLocks
  package func keep(_ first: UnsafeMutableRawPointer, count: Int, _ index: Int) {
    while self.count(state.pointee.hand) > 0 { advance() }
    let hand = state.pointee.hand
    let entry = entries + hand
    entry.pointee.first = first
    entry.pointee.sizeClass = UInt8(truncatingIfNeeded: index)
    entry.pointee.isOld = false
    entry.pointee.next = tops[index]
    entry.pointee.count.store(UInt16(truncatingIfNeeded: count), ordering: .releasing)
    tops[index] = UInt8(truncatingIfNeeded: hand + 1)
    demand[index] -= 1
    state.pointee.bytes += count * SizeClass.blockSize(index)
    state.pointee.count += 1
    advance()
  }

  private func advance() { state.pointee.hand = (state.pointee.hand + 1) & (TransferCache.entryCount - 1) }

  /// Takes out a list, of those that came first where no place among them has been filled again. Nil where there is none.
  @_noLocks
  package func evict() -> UnsafeMutableRawPointer? {
    if isEmpty { return nil }
    while count(state.pointee.hand) == 0 { advance() }
    return remove(state.pointee.hand).first
  }

  /// Takes out a list that was there at the last look; where there is none, the others are from now on such, and nil is returned.
  @_noLocks
  package func evictOld() -> UnsafeMutableRawPointer? {
    if isEmpty { return nil }
    var index = 0
    while index < TransferCache.entryCount {
      if count(index) > 0, entries[index].isOld { return remove(index).first }
      index += 1
    }
    index = 0
    while index < TransferCache.entryCount {
      entries[index].isOld = true
      index += 1
    }
    return nil
  }

  private func count(_ index: Int) -> Int { Int((entries + index).pointee.count.load(ordering: .relaxed)) }

  private func remove(_ index: Int) -> (first: UnsafeMutableRawPointer, count: Int) {
    let entry = entries + index
    let (first, count, sizeClass) = (entry.pointee.first, count(index), Int(entry.pointee.sizeClass))
    entry.pointee.count.store(0, ordering: .releasing)
    state.pointee.bytes -= count * SizeClass.blockSize(sizeClass)
    state.pointee.count -= 1
    if Int(tops[sizeClass]) == index + 1 {
      tops[sizeClass] = entry.pointee.next
    } else {
      var other = entries + Int(tops[sizeClass]) - 1
      while Int(other.pointee.next) != index + 1 { other = entries + Int(other.pointee.next) - 1 }
      other.pointee.next = entry.pointee.next
    }
    return (first, count)
  }

  /// Tells of each list its class, its first block and how many it has.
  @_noLocks @inline(__always)
  func forEachList(_ body: (_ sizeClass: Int, _ first: UnsafeMutableRawPointer, _ count: Int) -> Void) {
    if isEmpty { return }
    var index = 0
    while index < TransferCache.entryCount {
      let count = count(index)
      if count > 0 { body(Int(entries[index].sizeClass), entries[index].first, count) }
      index += 1
    }
  }

  /// Links the lists anew, after a change that was not ended. In a child of fork.
  @_noLocks
  package func rebuild() {
    var index = 0
    while index <= SizeClass.last {
      tops[index] = 0
      index += 1
    }
    (state.pointee.bytes, state.pointee.count) = (0, 0)
    // The oldest first.
    var left = TransferCache.entryCount
    index = state.pointee.hand
    while left > 0 {
      let (count, sizeClass) = (count(index), Int(entries[index].sizeClass))
      if count > 0 {
        entries[index].next = tops[sizeClass]
        tops[sizeClass] = UInt8(truncatingIfNeeded: index + 1)
        state.pointee.bytes += count * SizeClass.blockSize(sizeClass)
        state.pointee.count += 1
      }
      index = (index + 1) & (TransferCache.entryCount - 1)
      left -= 1
    }
  }

  /// All lists, for tests.
  package var lists: [(sizeClass: Int, first: UnsafeMutableRawPointer, count: Int)] {
    (0..<TransferCache.entryCount).filter { count($0) > 0 }.map {
      (Int(entries[$0].sizeClass), entries[$0].first, count($0))
    }
  }

  /// Stops the process where an invariant does not hold. What is in the lists is not looked at.
  package func checkInvariants() {
    precondition(TransferCache.topsOffset >= MemoryLayout<State>.size)
    precondition(TransferCache.demandOffset - TransferCache.topsOffset > SizeClass.last)
    precondition(TransferCache.entriesOffset - TransferCache.demandOffset > SizeClass.last)
    var (bytes, listed) = (0, 0)
    for index in 0..<TransferCache.entryCount where count(index) > 0 {
      let sizeClass = Int(entries[index].sizeClass)
      bytes += count(index) * SizeClass.blockSize(sizeClass)
      listed += 1
    }
    precondition(
      listed == state.pointee.count && bytes == state.pointee.bytes && bytes <= TransferCache.mostBytes)
    for sizeClass in 1...SizeClass.last {
      var number = Int(tops[sizeClass])
      while number != 0 {
        precondition(Int(entries[number - 1].sizeClass) == sizeClass && count(number - 1) > 0)
        listed -= 1
        number = Int(entries[number - 1].next)
      }
    }
    precondition(listed == 0)
  }
}

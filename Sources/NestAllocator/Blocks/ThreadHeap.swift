// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A thread's heap: the blocks that the thread has at hand, and the spans that it takes blocks from.
//
//     bin(1…80)          per class, blocks at hand: the hit paths touch nothing else
//     reserve(1…80)      per class, as many again
//     available(1…80)    per class, spans with free or uncarved blocks; the first is the current one
//     full               spans with neither, of all classes
//     spare(1, 2)        empty spans of one page, and of two, for whichever class is next
//     outbox             lists of blocks on their way to other heaps, one for each
//     inbox              blocks of this heap's spans that other threads have released
//
// Only the heap's thread touches it, but for the inbox: a stack that anyone pushes lists of blocks on, and that the thread
// empties, all at once, before it takes from a span. A list without a span leads to the empty span, in which no free block is
// ever found. Heaps live for ever; that of a thread that has ended waits in the pool, and its spans with it. All of a heap lies
// in one page.

@usableFromInline
struct ThreadHeap {
  struct State: ~Copyable {
    var full: Span
    /// Pages of the spare spans.
    var sparePages: Int
    var nextInPool: ThreadHeap?
    /// Spans that the heap owns, without the spare ones.
    var spanCount: Int
    /// Bytes by which the limits of bins may still grow.
    var growth: Int
    /// Spans that may still come from the page heap until blocks at hand that are not in use go home.
    var spansToScavenge: Int
  }

  /// A list of blocks for one other heap.
  struct Parcel {
    var owner: UInt
    var first: FreeBlock
    var last: FreeBlock
  }

  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable @inline(__always) @_noLocks
  init(base: UnsafeMutableRawPointer) { self.base = base }

  /// The calling thread's heap; one without blocks where it has none yet.
  @inlinable @inline(__always)
  static var current: ThreadHeap { @_noLocks get { ThreadHeap(base: nest_heap()) } }

  /// Whether this is the heap without blocks.
  var isNone: Bool { @_noLocks get { base == nest_no_heap() } }

  var address: UInt { @_noLocks get { UInt(bitPattern: base) } }

  /// The bin that lies `offset` bytes behind the start of the heap.
  @inlinable @inline(__always) @_noLocks
  func bin(offset: Int) -> Bin { Bin((base + offset).assumingMemoryBound(to: Bin.State.self)) }

  @_noLocks
  func bin(_ index: Int) -> Bin { bin(offset: index * Bin.stride) }

  // Bytes. The heap without blocks has the bins alone.
  private static var reservesOffset: Int { @_noLocks get { 1296 } }
  private static var availableOffset: Int { @_noLocks get { 2592 } }
  private static var stateOffset: Int { @_noLocks get { 3248 } }
  private static var sparesOffset: Int { @_noLocks get { 3296 } }
  private static var outboxOffset: Int { @_noLocks get { 3328 } }
  private static var inboxOffset: Int { @_noLocks get { 3584 } }

  private static var outboxCount: Int { @_noLocks get { 8 } }
  /// Pages of all spare spans that a heap keeps.
  private static var spareLimit: Int { @_noLocks get { 16 } }
  /// Spans from the page heap after which blocks that nobody uses go home.
  private static var scavengeInterval: Int { @_noLocks get { 12 } }
  /// Bytes by which the limits of a heap's bins grow in all.
  private static var growthLimit: Int { @_noLocks get { 160 << 10 } }
  /// Bytes and blocks to which the limit of one bin grows.
  private static var mostBytes: Int { @_noLocks get { 16 << 10 } }
  private static var mostBlocks: Int { @_noLocks get { 1024 } }

  var reserves: UnsafeMutablePointer<Bin.Reserve> {
    @_noLocks get { (base + ThreadHeap.reservesOffset).assumingMemoryBound(to: Bin.Reserve.self) }
  }

  var available: UnsafeMutablePointer<Span> {
    @_noLocks get { (base + ThreadHeap.availableOffset).assumingMemoryBound(to: Span.self) }
  }

  var state: UnsafeMutablePointer<State> {
    @_noLocks get { (base + ThreadHeap.stateOffset).assumingMemoryBound(to: State.self) }
  }

  /// The list of empty spans of `pageCount` pages, 1 or 2.
  private func spare(_ pageCount: Int) -> UnsafeMutablePointer<Span?> {
    (base + ThreadHeap.sparesOffset).assumingMemoryBound(to: Span?.self) + (pageCount - 1)
  }

  private var outbox: UnsafeMutablePointer<Parcel> {
    @_noLocks get { (base + ThreadHeap.outboxOffset).assumingMemoryBound(to: Parcel.self) }
  }

  /// The address of the first block of the inbox. On a cache line of its own.
  private var inbox: UnsafeMutablePointer<Atomic<UInt>> {
    @_noLocks get { (base + ThreadHeap.inboxOffset).assumingMemoryBound(to: Atomic<UInt>.self) }
  }

  /// The first block of the inbox, for statistics.
  var firstInInbox: UnsafeMutableRawPointer {
    // Safety: what is in the inbox is the address of a block, or of none.
    @_noLocks get { UnsafeMutableRawPointer(bitPattern: inbox.pointee.load(ordering: .acquiring)) ?? nest_no_block() }
  }

  /// Makes a heap of zeroed or old memory.
  @_noLocks
  func initialize() {
    for index in 0...SizeClass.last {
      bin(index).state.pointee = Bin.State(limit: ThreadHeap.firstLimit(index))
      reserves[index] = Bin.Reserve(FreeBlock.none, count: 0)
      available[index] = Span.none
    }
    for index in 0..<ThreadHeap.outboxCount { outbox[index].owner = 0 }
    state.pointee.full = Span.none
    for pages in 1...2 { spare(pages).pointee = nil }
    state.pointee.sparePages = 0
    state.pointee.nextInPool = nil
    state.pointee.spanCount = 0
    state.pointee.growth = ThreadHeap.growthLimit
    state.pointee.spansToScavenge = ThreadHeap.scavengeInterval
    inbox.pointee.store(FreeBlock.none.address, ordering: .relaxed)
  }

  /// Blocks that a bin may hold at first: 1 KiB. Bin 0 is of no class, and holds none.
  private static func firstLimit(_ index: Int) -> Int16 {
    index == 0 ? 0 : Int16(truncatingIfNeeded: min(32, 1024 / SizeClass.blockSize(index)))
  }

  // MARK: Taking blocks

  /// A block of class `index`, of which the bin has none; nil when memory is exhausted. Fills the bin.
  @_noLocks
  func allocateSlowly(_ index: Int) -> UnsafeMutableRawPointer? {
    let bin = bin(index)
    let reserve = reserves[index]
    if reserve.count > 0 {
      bin.set(reserve.first, count: Int32(reserve.count))
      reserves[index] = Bin.Reserve(FreeBlock.none, count: 0)
      return takeChecked(bin)
    }
    if inbox.pointee.load(ordering: .relaxed) != FreeBlock.none.address { collectInbox() }
    while true {
      let span = available[index]
      if span.hasFreeBlock {
        let (first, count) = span.takeFreeBlocks()
        bin.set(first, count: count)
        bin.state.pointee.wasFilled = true
        return takeChecked(bin)
      }
      if span.isNone {
        // What ended threads have left is used before the system is asked for more, but no sooner: the next thread to
        // start would rather have it as it is.
        let adopt = HeapPool.shared.hasHeaps
        if !takeSpan(index, mayMap: !adopt), !(adopt && adoptSpans()), !takeSpan(index, mayMap: true) { return nil }
      } else if span.isCarvable {
        // Memory that has been written before goes first.
        if let next = span.record.pointee.next, next.hasFreeBlock {
          moveToFront(next, before: span)
        } else {
          span.carve()
        }
      } else {
        setFull(span)
      }
    }
  }

  @_noLocks
  private func takeChecked(_ bin: Bin) -> UnsafeMutableRawPointer {
    bin.first.checkSignature()
    return bin.take()
  }

  /// Takes a new span: a spare one, or one from the page heap.
  private func takeSpan(_ index: Int, mayMap: Bool) -> Bool {
    let pages = SizeClass.pageCount(index)
    let span: Span
    if let spare = takeSpare(pages) {
      span = spare
    } else {
      state.pointee.spansToScavenge -= 1
      if state.pointee.spansToScavenge <= 0 { scavenge() }
      guard let (run, _) = Pages.allocate(count: pages, align: 1, mayMap: mayMap) else { return false }
      span = run.chunk.span(page: run.first)
    }
    span.initialize(sizeClass: index, pageCount: pages, owner: address)
    state.pointee.spanCount += 1
    insert(span)
    return true
  }

  private func takeSpare(_ pageCount: Int) -> Span? {
    guard pageCount <= 2, let span = spare(pageCount).pointee else { return nil }
    spare(pageCount).pointee = span.record.pointee.next
    state.pointee.sparePages -= pageCount
    return span
  }

  /// Sends home what has been at hand, untouched, since the last time: it may keep whole spans from other uses.
  private func scavenge() {
    state.pointee.spansToScavenge = ThreadHeap.scavengeInterval
    for index in 1...SizeClass.last {
      let bin = bin(index)
      let reserve = reserves + index
      let count = Int16(truncatingIfNeeded: bin.count)
      if count == reserve.pointee.binCountThen {
        empty(index)
      } else {
        if reserve.pointee.isOld {
          sendHome(reserve.pointee.first)
          reserve.pointee = Bin.Reserve(FreeBlock.none, count: 0)
        }
        reserve.pointee.isOld = reserve.pointee.count > 0
        reserve.pointee.binCountThen = count > 0 ? count : -1
      }
    }
  }

  /// Sends all blocks of class `index` that are at hand home, and lets the bin begin anew.
  private func empty(_ index: Int) {
    let bin = bin(index)
    let (first, reserve) = (bin.first, reserves[index].first)
    let limit = ThreadHeap.firstLimit(index)
    state.pointee.growth += Int(bin.state.pointee.limit - limit) * SizeClass.blockSize(index)
    reserves[index] = Bin.Reserve(FreeBlock.none, count: 0)
    bin.state.pointee = Bin.State(limit: limit)
    sendHome(first)
    sendHome(reserve)
  }

  // MARK: Getting blocks back

  /// Releases a block of class `index`, of whichever heap's span, where the bin has no room.
  @_noLocks
  func releaseSlowly(_ block: FreeBlock, _ index: Int) {
    let bin = bin(index)
    if reserves[index].count > 0 || bin.state.pointee.limit == 0, !grow(bin, index) {
      if bin.state.pointee.limit == 0 {
        block.link(to: FreeBlock.none)
        return sendHome(block)
      }
      sendHome(reserves[index].first)
      reserves[index] = Bin.Reserve(FreeBlock.none, count: 0)
    }
    if !bin.hasRoom {
      reserves[index] = Bin.Reserve(bin.first, count: bin.count)
      bin.set(FreeBlock.none, count: 0)
    }
    bin.put(block)
  }

  /// Doubles what a bin may hold, if the heap has so much growth left. Returns whether the bin has room now.
  private func grow(_ bin: Bin, _ index: Int) -> Bool {
    let limit = Int(bin.state.pointee.limit)
    let more = max(limit, 1)
    let size = SizeClass.blockSize(index)
    guard bin.state.pointee.wasFilled, limit + more <= ThreadHeap.mostBlocks,
      (limit + more) * size <= ThreadHeap.mostBytes,
      more * size <= state.pointee.growth
    else { return false }
    state.pointee.growth -= more * size
    bin.state.pointee.wasFilled = false
    bin.state.pointee.limit += Int16(truncatingIfNeeded: more)
    bin.state.pointee.room += Int32(truncatingIfNeeded: more)
    return bin.hasRoom
  }

  /// Releases a list of blocks, of whichever heaps' spans, to these.
  private func sendHome(_ list: FreeBlock) {
    var rest = list
    while !rest.isNone {
      let block = rest
      block.checkSignature()
      rest = block.next
      let span = Span(containing: block.address)
      let owner = span.owner
      if owner == address { release(block, to: span) } else { post(block, to: owner) }
    }
    for index in 0..<ThreadHeap.outboxCount { send(index) }
  }

  /// Releases a block of a span of this heap.
  private func release(_ block: FreeBlock, to span: Span) {
    block.link(to: span.record.pointee.free)
    span.record.pointee.free = block
    span.record.pointee.blocksOut -= 1
    let out = span.record.pointee.blocksOut
    if span.isFull {
      // Listed again only when a sixteenth of it is free: not for each block anew.
      let capacity = Int32(span.record.pointee.capacity)
      if out <= capacity - max(capacity / 16, 1) { setAvailable(span) }
    }
    // Only the current one is kept when it is empty.
    if out == 0, !(span.mayStayEmpty && available[span.sizeClass] == span) { releaseSpan(span) }
  }

  /// Puts a block into the outbox.
  private func post(_ block: FreeBlock, to owner: UInt) {
    let index = Int(bitPattern: owner >> UInt(Chunk.pageShift)) & (ThreadHeap.outboxCount - 1)
    let parcel = outbox + index
    if parcel.pointee.owner != owner {
      send(index)
      parcel.pointee = Parcel(owner: owner, first: block, last: block)
    } else {
      block.link(to: parcel.pointee.first)
      parcel.pointee.first = block
    }
  }

  private func send(_ index: Int) {
    let parcel = outbox[index]
    guard let owner = UnsafeMutableRawPointer(bitPattern: parcel.owner) else { return }
    outbox[index].owner = 0
    ThreadHeap(base: owner).receive(parcel.first, parcel.last)
  }

  /// Pushes a list of blocks of this heap's spans on its inbox. For every thread.
  @_noLocks
  func receive(_ first: FreeBlock, _ last: FreeBlock) {
    var old = inbox.pointee.load(ordering: .relaxed)
    while true {
      // Safety: what is in the inbox is the address of a block, or of none.
      last.link(to: FreeBlock(UnsafeMutableRawPointer(bitPattern: old).unsafelyUnwrapped))
      let (exchanged, now) = inbox.pointee.weakCompareExchange(
        expected: old, desired: first.address, successOrdering: .releasing, failureOrdering: .relaxed)
      if exchanged { return }
      old = now
    }
  }

  /// Releases a block on a thread that has no heap.
  @_noLocks
  static func releaseWithoutHeap(_ block: FreeBlock) {
    // Safety: a span of blocks always has an owner.
    let owner = UnsafeMutableRawPointer(bitPattern: Span(containing: block.address).owner).unsafelyUnwrapped
    ThreadHeap(base: owner).receive(block, block)
  }

  /// Takes home the blocks that other threads have released. What has been adopted meanwhile goes on to its new owner.
  @_noLocks
  func collectInbox() { sendHome(takeInbox()) }

  @_noLocks
  private func takeInbox() -> FreeBlock {
    let first = inbox.pointee.exchange(FreeBlock.none.address, ordering: .acquiring)
    return FreeBlock(UnsafeMutableRawPointer(bitPattern: first).unsafelyUnwrapped)
  }

  // MARK: Lists

  private func list(_ index: Int) -> SpanList { SpanList(available + index) }

  private var fullList: SpanList {
    SpanList(UnsafeMutableRawPointer(state).assumingMemoryBound(to: Span.self))
  }

  /// Makes a span of a list its first, in place of `current`.
  private func moveToFront(_ span: Span, before current: Span) {
    let list = list(span.sizeClass)
    list.remove(span)
    list.prepend(span)
    if current.record.pointee.blocksOut == 0 { releaseSpan(current) }
  }

  /// Lists a span with something to take. It is last, so that it gathers more blocks until its turn comes.
  private func insert(_ span: Span) {
    span.record.pointee.isFull = false
    list(span.sizeClass).append(span)
  }

  private func setFull(_ span: Span) {
    unlist(span)
    span.record.pointee.isFull = true
    fullList.append(span)
  }

  private func setAvailable(_ span: Span) {
    unlist(span)
    insert(span)
  }

  /// Takes a span out of whichever list it is in.
  private func unlist(_ span: Span) {
    if span.isFull { fullList.remove(span) } else { list(span.sizeClass).remove(span) }
  }

  /// Keeps an empty span as a spare one, or gives it to the page heap.
  private func releaseSpan(_ span: Span) {
    unlist(span)
    state.pointee.spanCount -= 1
    let pages = Int(span.record.pointee.pageCount)
    if pages <= 2, state.pointee.sparePages + pages <= ThreadHeap.spareLimit {
      span.clear()
      span.record.pointee.next = spare(pages).pointee
      spare(pages).pointee = span
      state.pointee.sparePages += pages
    } else {
      span.releasePages()
    }
  }

  // MARK: The end of a thread, and after

  /// Sends all blocks at hand home, takes in those that other threads have released, and gives away the spans that are empty.
  @_noLocks
  func releaseEmptySpans() {
    for index in 1...SizeClass.last { empty(index) }
    collectInbox()
    for index in 1...SizeClass.last {
      let span = available[index]
      // Only the current one can be empty.
      if !span.isNone, span.record.pointee.blocksOut == 0 { releaseSpan(span) }
    }
    for pages in 1...2 {
      while let span = takeSpare(pages) { span.releasePages() }
    }
  }

  /// Takes over all spans of a heap whose thread has ended. Returns whether there were any.
  private func adoptSpans() -> Bool {
    guard let other = HeapPool.shared.take(withSpans: true) else { return false }
    for index in 1...SizeClass.last {
      while !other.available[index].isNone { adopt(other.available[index], of: other) }
    }
    while !other.fullList.isEmpty { adopt(other.fullList.first, of: other) }
    // What came in before the owner changed. What comes in after that, from threads that have read it before, goes on when
    // the heap has a thread again.
    sendHome(other.takeInbox())
    HeapPool.shared.put(other)
    return true
  }

  private func adopt(_ span: Span, of other: ThreadHeap) {
    let isFull = span.isFull
    other.unlist(span)
    other.state.pointee.spanCount -= 1
    span.record.pointee.owner.store(address, ordering: .sequentiallyConsistent)
    if isFull { fullList.append(span) } else { insert(span) }
    state.pointee.spanCount += 1
  }
}

extension ThreadHeap {
  /// Stops the process where an invariant does not hold.
  func checkInvariants() {
    var count = 0
    for index in 1...SizeClass.last {
      count += checkList(available[index], isFull: false) { $0.sizeClass == index }
      precondition(
        Bin.stride == MemoryLayout<Bin.State>.stride && SizeClass.index(size: SizeClass.blockSize(index)) == index)
      checkTable(index)
      let bin = bin(index)
      precondition(checkBlocks(bin.first, ofClass: index) == bin.count)
      precondition(checkBlocks(reserves[index].first, ofClass: index) == Int32(reserves[index].count))
    }
    precondition(bin(0).first.isNone && !bin(0).hasRoom)
    count += checkList(state.pointee.full, isFull: true) { !$0.isCarvable && $0.record.pointee.blocksOut > 0 }
    precondition(count == state.pointee.spanCount)
    var spares = 0
    for pages in 1...2 {
      var candidate = spare(pages).pointee
      while let span = candidate {
        precondition(span.record.pointee.blocksOut == 0 && Int(span.record.pointee.pageCount) == pages)
        spares += pages
        candidate = span.record.pointee.next
      }
    }
    precondition(spares == state.pointee.sparePages && spares <= ThreadHeap.spareLimit)
    for index in 0..<ThreadHeap.outboxCount { precondition(outbox[index].owner == 0) }
  }

  /// The table says what the computation says, of all sizes of a class.
  private func checkTable(_ index: Int) {
    var size = SizeClass.blockSize(index)
    while size > SizeClass.blockSize(index - 1), size <= Int(NEST_CLASS_TABLE_END) {
      precondition(nest_class(UInt(size) / 16) == index && SizeClass.index(size: size) == index)
      size -= 16
    }
  }

  private func checkList(_ first: Span, isFull: Bool, _ fits: (Span) -> Bool) -> Int {
    var count = 0
    var previous: Span?
    var candidate: Span? = first.isNone ? nil : first
    while let span = candidate {
      precondition(span.owner == address && span.hasBlocks && span.isFull == isFull && fits(span))
      precondition(previous == nil || span.record.pointee.previous?.record == previous?.record)
      precondition(span.record.pointee.blocksOut > 0 || previous == nil, "an empty span was kept")
      span.checkInvariants()
      count += 1
      previous = span
      candidate = span.record.pointee.next
    }
    return count
  }

  private func checkBlocks(_ first: FreeBlock, ofClass index: Int) -> Int32 {
    var count: Int32 = 0
    var block = first
    while !block.isNone {
      precondition(block.isSigned && Span(containing: block.address).sizeClass == index)
      count += 1
      block = block.next
    }
    return count
  }
}

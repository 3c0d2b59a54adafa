// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// The heap of a processor: spans of all classes, from which the threads that run there take blocks, many at a time.
//
//     available(1…80)    per class, spans with something to take; the first is the current one
//     spare(1, 2)        empty spans of one page, and of two, for whichever class is next
//     remote frees       blocks of this heap's spans that threads have released while the lock was held
//     transfer cache     lists of blocks that are kept whole for the next thread that wants one
//
// Any thread may use any heap, under its lock; which one it uses is a matter of whom it is likely to meet there. Blocks are
// taken in lists and come back in lists, so the lock is taken once for many blocks. No thread waits for it to release some:
// where it is held, the list is pushed on the remote frees, which whoever holds the lock next takes in. The lock is not held
// over a system call, nor while the page heap is asked for pages. A list without a span leads to the empty span, in which no
// free block is ever found; a span with nothing to take is in no list.

struct ProcessorHeap {
  struct State: ~Copyable {
    var isInitialized: Bool
    /// Pages of the spare spans.
    var sparePages: Int
    /// Empty spans that are to be released as soon as the lock is open, linked by `next`.
    var retired: Span?
    /// Bytes of pages in which blocks have been carved and that are not purged; and those of them that are in empty spans.
    var touchedBytes: Int
    var emptyBytes: Int
    /// The purger's: spans whose pages are on their way to the system.
    var pinned: Span?
    /// The thread that purges them.
    var purger: UInt
    /// Threads that take from this heap.
    let threads: Atomic<Int>
  }

  /// What is counted of the blocks of a class.
  struct Counts {
    var used: Int32
    var carved: Int32
    var spans: Int32
  }

  let base: UnsafeMutableRawPointer

  @_noLocks
  init(base: UnsafeMutableRawPointer) { self.base = base }

  // Bytes. Lock and remote frees are on cache lines of their own.
  private static var remoteOffset: Int { @_noLocks get { 64 } }
  private static var stateOffset: Int { @_noLocks get { 128 } }
  private static var sparesOffset: Int { @_noLocks get { 232 } }
  private static var pageCountsOffset: Int { @_noLocks get { 2048 } }
  private static var availableOffset: Int { @_noLocks get { 256 } }
  private static var countsOffset: Int { @_noLocks get { 1024 } }
  private static var transferOffset: Int { @_noLocks get { 2560 } }

  /// Pages of all spare spans that a heap keeps.
  private static var spareLimit: Int { @_noLocks get { 16 } }

  var lock: Lock { @_noLocks get { Lock(base) } }

  var state: UnsafeMutablePointer<State> {
    @_noLocks get { (base + ProcessorHeap.stateOffset).assumingMemoryBound(to: State.self) }
  }

  var available: UnsafeMutablePointer<Span> {
    @_noLocks get { (base + ProcessorHeap.availableOffset).assumingMemoryBound(to: Span.self) }
  }

  /// Indexed by class.
  var counts: UnsafeMutablePointer<Counts> {
    @_noLocks get { (base + ProcessorHeap.countsOffset).assumingMemoryBound(to: Counts.self) }
  }

  /// The list of empty spans of `pageCount` pages, 1 or 2.
  private func spare(_ pageCount: Int) -> UnsafeMutablePointer<Span?> {
    (base + ProcessorHeap.sparesOffset).assumingMemoryBound(to: Span?.self) + (pageCount - 1)
  }

  var transfer: TransferCache { @_noLocks get { TransferCache(base: base + ProcessorHeap.transferOffset) } }

  private func list(_ index: Int) -> SpanList { SpanList(available + index) }

  /// The address of the first of the remote frees; 0 where there is none.
  private var remote: UnsafeMutablePointer<Atomic<UInt>> {
    @_noLocks get { (base + ProcessorHeap.remoteOffset).assumingMemoryBound(to: Atomic<UInt>.self) }
  }

  /// The heap's number, from 1.
  var number: Int {
    @_noLocks get { (Int(bitPattern: base) - Int(bitPattern: nest_processor_heap(0))) / Int(NEST_HEAP_BYTES) + 1 }
  }

  /// Makes a heap of zeroed memory, if that is not done. Under the lock.
  @_noLocks
  func initialize() {
    if state.pointee.isInitialized { return }
    var index = 0
    while index <= SizeClass.last {
      available[index] = Span.none
      index += 1
    }
    state.pointee.isInitialized = true
  }

  // MARK: Taking blocks, under the lock

  /// Takes at least one block of class `index`, and up to `most` where all that a span has are more than that; nil where no span
  /// has any.
  @_noLocks
  func take(_ index: Int, most: Int) -> (first: FreeBlock, count: Int)? {
    while true {
      let span = available[index]
      if span.hasFreeBlock {
        if span.record.pointee.used == 0 { state.pointee.emptyBytes -= span.touchedBytes }
        let taken = span.takeFreeBlocks(most)
        counts[index].used += Int32(truncatingIfNeeded: taken.count)
        return taken
      }
      if span.isNone { return nil }
      if !span.isCarvable {
        setFull(span)
      } else if let next = span.record.pointee.next, next.hasFreeBlock {
        // Memory that has been written before goes first.
        moveToFront(next, before: span)
      } else {
        carve(span)
      }
    }
  }

  private func carve(_ span: Span) {
    let (bytes, carved) = (span.touchedBytes, span.record.pointee.carved)
    span.carve()
    let more = span.touchedBytes - bytes
    state.pointee.touchedBytes += more
    if span.record.pointee.used == 0 { state.pointee.emptyBytes += more }
    counts[span.sizeClass].carved += Int32(span.record.pointee.carved - carved)
  }

  /// Takes in a new span for class `index`: a spare one. Returns whether there was one.
  @_noLocks
  func addSpare(_ index: Int) -> Bool {
    guard let span = takeSpare(SizeClass.pageCount(index)) else { return false }
    add(span, index, pageCount: SizeClass.pageCount(index), isGuarded: false)
    return true
  }

  /// Takes in a new span for class `index`, of pages of no span: those of the class, and maybe a guard.
  @_noLocks
  func add(_ span: Span, _ index: Int, pageCount: Int, isGuarded: Bool) {
    span.initialize(sizeClass: index, pageCount: pageCount, isGuarded: isGuarded, owner: number)
    counts[index].spans += 1
    setAvailable(span)
  }

  private func takeSpare(_ pageCount: Int) -> Span? {
    guard pageCount <= 2, let span = spare(pageCount).pointee else { return nil }
    spare(pageCount).pointee = span.record.pointee.next
    state.pointee.sparePages -= pageCount
    return span
  }

  // MARK: Getting blocks back

  /// Pushes a list of blocks of this heap's spans on the remote frees. For every thread.
  @_noLocks
  func push(_ first: FreeBlock, _ last: FreeBlock) {
    var old = remote.pointee.load(ordering: .relaxed)
    while true {
      // Safety: what is there is the address of a block, or 0.
      last.link(to: UnsafeMutableRawPointer(bitPattern: old).map { FreeBlock($0) } ?? FreeBlock.none)
      let (exchanged, now) = remote.pointee.weakCompareExchange(
        expected: old, desired: first.address, successOrdering: .releasing, failureOrdering: .relaxed)
      if exchanged { return }
      old = now
    }
  }

  /// Takes in the remote frees. Under the lock.
  @_noLocks
  func collectRemoteFrees() {
    if remote.pointee.load(ordering: .relaxed) == 0 { return }
    if let first = UnsafeMutableRawPointer(bitPattern: remote.pointee.exchange(0, ordering: .acquiring)) {
      put(FreeBlock(first))
    }
  }

  /// Opens the lock, and gives the page heap what has become empty.
  @_noLocks
  func unlock() {
    let retired = state.pointee.retired
    state.pointee.retired = nil
    lock.unlock()
    var next = retired
    while let span = next {
      next = span.record.pointee.next
      span.releasePages()
    }
  }

  /// Gives a list of blocks back to their spans, which are this heap's. Under the lock.
  @_noLocks
  func put(_ list: FreeBlock) {
    var remainder = list
    while !remainder.isNone {
      let part = SpanBlocks(firstOf: remainder)
      remainder = part.next
      counts[part.span.sizeClass].used &-= Int32(truncatingIfNeeded: part.count)
      put(part)
    }
  }

  /// Gives blocks back to their span; the caller counts. Under the lock.
  @_noLocks @inline(__always)
  func put(_ blocks: SpanBlocks) {
    if blocks.span.put(blocks) { attend(blocks.span) }
  }

  /// Gives a list of blocks of any heaps' spans back to those. Under the lock.
  @inline(never) @_noLocks
  func giveBack(_ list: FreeBlock) {
    var remainder = list
    while !remainder.isNone {
      let part = SpanBlocks(firstOf: remainder)
      remainder = part.next
      let owner = part.span.owner
      if owner == number {
        counts[part.span.sizeClass].used &-= Int32(truncatingIfNeeded: part.count)
        put(part)
      } else if owner != 0 {
        Heaps.heap(owner).push(part.first, part.last)
      } else {
        SampledBlocks.release(part)
      }
    }
  }

  /// Keeps a list of `count` blocks of class `index` for the next thread that wants one. Returns whether it does. Under the lock.
  @_noLocks
  func keep(_ list: FreeBlock, count: Int, _ index: Int) -> Bool {
    guard transfer.wants(index, count: count) else { return false }
    transfer.keep(list.pointer, count: count, index)
    return true
  }

  /// Gives back the lists that nobody has wanted for a while, or all of them. Returns whether there are others.
  @_noLocks
  func giveListsBack(all: Bool) -> Bool {
    while true {
      lock.lock()
      initialize()
      var left = 8
      // Few at a time: a thread may wait for the lock.
      while left > 0, let old = all ? transfer.evict() : transfer.evictOld() {
        giveBack(FreeBlock(old))
        left -= 1
      }
      let isEmpty = transfer.isEmpty
      unlock()
      if left > 0 { return !isEmpty }
    }
  }

  /// Lists a span that has something to take again, or retires one that is empty.
  @inline(never) @_noLocks
  private func attend(_ span: Span) {
    let used = span.record.pointee.used
    // It is last, so that it gathers more blocks until its turn comes.
    if !span.record.pointee.isListed { setAvailable(span) }
    guard used == 0 else { return }
    state.pointee.emptyBytes += span.touchedBytes
    // Only the current one is kept when it is empty.
    if !(span.mayStayEmpty && available[span.sizeClass] == span) { retire(span) }
  }

  // MARK: Lists, under the lock

  /// Makes a span of a list its first, in place of `current`.
  private func moveToFront(_ span: Span, before current: Span) {
    let list = list(span.sizeClass)
    list.remove(span)
    list.prepend(span)
    if current.record.pointee.used == 0 { retire(current) }
  }

  private func setFull(_ span: Span) {
    unlist(span)
    span.record.pointee.trigger = span.relistCount
  }

  private func setAvailable(_ span: Span) {
    span.record.pointee.trigger = 0
    span.record.pointee.isListed = true
    list(span.sizeClass).append(span)
  }

  private func unlist(_ span: Span) {
    span.record.pointee.isListed = false
    list(span.sizeClass).remove(span)
  }

  /// Takes a span that is empty, and in its list, out of the heap: it is a spare one from now on, or the page heap's soon.
  private func retire(_ span: Span) {
    let index = span.sizeClass
    let bytes = span.touchedBytes
    if nest_hardening() & UInt32(NEST_CLEARS) != 0 { span.checkClear() }
    unlist(span)
    span.record.pointee.owner.store(0, ordering: .relaxed)
    counts[index].spans -= 1
    counts[index].carved -= Int32(span.record.pointee.carved)
    state.pointee.touchedBytes -= bytes
    state.pointee.emptyBytes -= bytes
    let pages = Int(span.record.pointee.pageCount)
    if pages <= 2, !span.record.pointee.isGuarded, span.record.pointee.purgedPages == 0, !span.chunk.isOfClasses,
      state.pointee.sparePages + pages <= ProcessorHeap.spareLimit
    {
      span.clear()
      span.record.pointee.next = spare(pages).pointee
      spare(pages).pointee = span
      state.pointee.sparePages += pages
    } else {
      span.record.pointee.next = state.pointee.retired
      state.pointee.retired = span
    }
  }

  /// Takes in the remote frees, and gives away the spans that are empty.
  @_noLocks
  func releaseEmptySpans() {
    lock.lock()
    initialize()
    collectRemoteFrees()
    var index = 1
    while index <= SizeClass.last {
      let span = available[index]
      // Only the current one can be empty.
      if !span.isNone, span.record.pointee.used == 0 { retire(span) }
      index += 1
    }
    for pages in 1...2 {
      while let span = takeSpare(pages) {
        span.record.pointee.next = state.pointee.retired
        state.pointee.retired = span
      }
    }
    unlock()
  }

  // MARK: Purging

  /// Gives pages in which no block is used to the system, of the spans in `chunk`: of those that nobody has changed since the
  /// last look, or with `all`, of all. Returns whether there was something to give back or something has changed, and adds the
  /// pages that have gone back before to `purgedPages`. The lock is not held over system calls, and for a few spans at a time.
  @_noLocks
  func purge(_ chunk: Chunk, all: Bool, _ purgedPages: inout Int) -> Bool {
    var (page, isBusy) = (Chunk.firstPage, false)
    while page < chunk.mappedCount {
      lock.lock()
      // One purger at a time; another one would see the spans that are pinned as they are not.
      guard state.pointee.isInitialized, state.pointee.pinned == nil else {
        lock.unlock()
        return isBusy
      }
      page = pinSpans(chunk, from: page, all: all, &isBusy, &purgedPages)
      let pinned = state.pointee.pinned
      state.pointee.purger = nest_thread_identity()
      unlock()
      guard let pinned else { continue }
      isBusy = true
      var candidate: Span? = pinned
      while let span = candidate {
        candidate = span.record.pointee.next
        span.purgePages()
      }
      lock.lock()
      unpinSpans()
      unlock()
    }
    return isBusy
  }

  /// Pins up to 16 spans that have pages to give back. Returns the page to go on with.
  private func pinSpans(
    _ chunk: Chunk, from first: Int, all: Bool, _ isBusy: inout Bool, _ purgedPages: inout Int
  ) -> Int {
    let pageCounts = (base + ProcessorHeap.pageCountsOffset).assumingMemoryBound(to: UInt16.self)
    var (page, looks, pins) = (first, 0, 0)
    let end = chunk.mappedCount
    while page < end, pins < 16, looks < 128 {
      let span = chunk.span(page: page)
      page += 1
      // The owner is this heap only where this lock guards the rest.
      guard span.owner == number else { continue }
      page += Int(span.record.pointee.pageCount) - 1
      purgedPages += span.record.pointee.purgedPages.nonzeroBitCount
      guard span.isPurgeable, span.freeCount > 0, span.record.pointee.trigger != Span.never else { continue }
      looks += 1
      let used = span.record.pointee.used
      if !all {
        if span.record.pointee.usedThen == used | Span.isLookedAt { continue }
        if span.record.pointee.usedThen != used {
          span.record.pointee.usedThen = used
          isBusy = true
          continue
        }
      }
      span.record.pointee.usedThen = used | Span.isLookedAt
      let bytes = span.touchedBytes
      if span.takeUnusedPages(pageCounts) == 0 { continue }
      state.pointee.touchedBytes += span.touchedBytes - bytes
      if used == 0 { state.pointee.emptyBytes -= bytes }
      if span.record.pointee.isListed { unlist(span) }
      span.record.pointee.trigger = Span.never
      span.record.pointee.next = state.pointee.pinned
      state.pointee.pinned = span
      pins += 1
    }
    return page
  }

  private func unpinSpans() {
    while let span = state.pointee.pinned {
      state.pointee.pinned = span.record.pointee.next
      setAvailable(span)
      if span.record.pointee.used == 0 {
        state.pointee.emptyBytes += span.touchedBytes
        retire(span)
      }
    }
  }

  /// Whether a purger that is no more has left spans pinned. In a child.
  var isLeftPinned: Bool {
    @_noLocks get { state.pointee.pinned != nil && state.pointee.purger != nest_thread_identity() }
  }

  // MARK: After fork

  /// Lists and counts anew what the spans say, after a change that was not ended.
  @_noLocks
  func rebuild() {
    state.pointee.isInitialized = false
    initialize()
    var index = 0
    while index <= SizeClass.last {
      counts[index] = Counts(used: 0, carved: 0, spans: 0)
      index += 1
    }
    // What was spare, or on its way to the page heap, is lost.
    spare(1).pointee = nil
    spare(2).pointee = nil
    state.pointee.sparePages = 0
    state.pointee.retired = nil
    state.pointee.pinned = nil
    state.pointee.touchedBytes = 0
    state.pointee.emptyBytes = 0
    transfer.rebuild()
    var candidate = AddressMap.nextChunk(0)
    while let chunk = candidate {
      candidate = AddressMap.nextChunk(chunk.end)
      rebuild(chunk)
    }
  }

  private func rebuild(_ chunk: Chunk) {
    var page = Chunk.firstPage
    while page < chunk.mappedCount {
      let span = chunk.span(page: page)
      page += 1
      guard !chunk.free.contains(page - 1), span.hasBlocks, span.owner == number else { continue }
      page += Int(span.record.pointee.pageCount) - 1
      span.recount()
      let index = span.sizeClass
      counts[index].used += Int32(span.record.pointee.used)
      counts[index].carved += Int32(span.record.pointee.carved)
      counts[index].spans += 1
      state.pointee.touchedBytes += span.touchedBytes
      span.record.pointee.isListed = false
      span.record.pointee.trigger = span.relistCount
      if span.record.pointee.used == 0 {
        // On its way out, as likely as not.
        setAvailable(span)
        state.pointee.emptyBytes += span.touchedBytes
        retire(span)
      } else if span.hasFreeBlock || span.isCarvable {
        setAvailable(span)
      }
    }
  }
}

extension ProcessorHeap {
  /// Stops the process where an invariant does not hold.
  func checkInvariants() {
    precondition(
      MemoryLayout<State>.size <= ProcessorHeap.sparesOffset - ProcessorHeap.stateOffset
        && ProcessorHeap.availableOffset + 8 * (SizeClass.last + 1) <= ProcessorHeap.countsOffset
        && ProcessorHeap.countsOffset + MemoryLayout<Counts>.stride * (SizeClass.last + 1)
          <= ProcessorHeap.pageCountsOffset
        && ProcessorHeap.transferOffset + TransferCache.byteCount <= Int(NEST_HEAP_BYTES))
    lock.lock()
    defer { lock.unlock() }
    guard state.pointee.isInitialized else { return }
    transfer.checkInvariants()
    transfer.forEachList { sizeClass, first, count in
      var (block, left) = (FreeBlock(first), count)
      while !block.isNone {
        precondition(block.isSigned && Span(containing: block.address).sizeClass == sizeClass)
        left -= 1
        block = block.next
      }
      precondition(left == 0)
    }
    for index in 1...SizeClass.last { checkList(index) }
    var spares = 0
    for pages in 1...2 {
      var candidate = spare(pages).pointee
      while let span = candidate {
        precondition(span.record.pointee.used == 0 && Int(span.record.pointee.pageCount) == pages)
        spares += pages
        candidate = span.record.pointee.next
      }
    }
    precondition(spares == state.pointee.sparePages && spares <= ProcessorHeap.spareLimit)
  }

  private func checkList(_ index: Int) {
    var previous: Span?
    var candidate: Span? = available[index].isNone ? nil : available[index]
    while let span = candidate {
      precondition(
        span.owner == number && span.hasBlocks && span.record.pointee.trigger == 0 && span.record.pointee.isListed
          && span.sizeClass == index)
      precondition(previous == nil || span.record.pointee.previous?.record == previous?.record)
      precondition(span.record.pointee.used > 0 || previous == nil, "an empty span was kept")
      span.checkInvariants()
      previous = span
      candidate = span.record.pointee.next
    }
  }
}

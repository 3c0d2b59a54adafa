// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A thread's heap: the blocks that the thread has at hand, and the spans that it takes blocks from.
//
//     direct[0…64]       the cache of the class of 16 × index bytes            ─┐ the hit paths
//     cache(0…79)        per class, blocks at hand                              ─┘ touch nothing else of it
//     available[0…79]    per class, spans with free or uncarved blocks; the first is the current one
//     full               spans with neither, of all classes
//     inbox              spans of this heap that other threads have released blocks of
//
// Only the heap's thread touches it, but for the inbox. A list without a span leads to the empty span, in which no free block
// is ever found. Heaps live for ever; that of a thread that has ended waits in the pool, and its spans with it.

@usableFromInline
struct ThreadHeap {
  struct State: ~Copyable {
    var full: Span
    var nextInPool: ThreadHeap?
    /// Spans that the heap owns.
    var spanCount: Int
  }

  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable @inline(__always) @_noLocks
  init(base: UnsafeMutableRawPointer) { self.base = base }

  /// The calling thread's heap; one without blocks where it has none yet.
  @inlinable @inline(__always)
  static var current: ThreadHeap { @_noLocks get { ThreadHeap(base: nest_heap()) } }

  /// Whether this is the heap without blocks.
  var isNone: Bool { @_noLocks get { base == nest_no_heap() } }

  @inlinable @inline(__always)
  var address: UInt { @_noLocks get { UInt(bitPattern: base) } }

  @inlinable @inline(__always)
  var direct: UnsafeMutablePointer<BlockCache> { @_noLocks get { base.assumingMemoryBound(to: BlockCache.self) } }

  @inlinable @inline(__always) @_noLocks
  func cache(_ index: Int) -> BlockCache {
    BlockCache((base + ThreadHeap.cachesOffset).assumingMemoryBound(to: BlockCache.State.self) + index)
  }

  var available: UnsafeMutablePointer<Span> {
    @_noLocks get { (base + ThreadHeap.availableOffset).assumingMemoryBound(to: Span.self) }
  }

  // Bytes. What is before the state the heap without blocks has, too.
  private static var availableOffset: Int { @_noLocks get { 528 } }
  @inlinable @inline(__always) static var cachesOffset: Int { @_noLocks get { 1168 } }
  private static var stateOffset: Int { @_noLocks get { 2448 } }
  private static var inboxOffset: Int { @_noLocks get { 2560 } }

  var state: UnsafeMutablePointer<State> {
    @_noLocks get { (base + ThreadHeap.stateOffset).assumingMemoryBound(to: State.self) }
  }

  /// The address of the first span of the inbox. On a cache line of its own.
  private var inbox: UnsafeMutablePointer<Atomic<UInt>> {
    (base + ThreadHeap.inboxOffset).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  /// Makes a heap of zeroed or old memory.
  @_noLocks
  func initialize() {
    for entry in 0..<SizeClass.directCount { direct[entry] = cache(SizeClass.index(size: max(entry * 16, 1))) }
    for index in 0..<SizeClass.count {
      available[index] = Span.none
      cache(index).initialize(size: SizeClass.blockSize(index))
    }
    state.pointee.full = Span.none
    state.pointee.nextInPool = nil
    state.pointee.spanCount = 0
    inbox.pointee.store(0, ordering: .relaxed)
  }

  // MARK: Taking blocks

  /// A block of class `index`, of which the cache has none; nil when memory is exhausted. Fills half of the cache.
  @_noLocks
  func allocateSlowly(_ index: Int) -> FreeBlock? {
    if inbox.pointee.load(ordering: .relaxed) != 0 { collectInbox() }
    while true {
      let span = available[index]
      if let block = span.record.pointee.free {
        fill(cache(index), from: span)
        block.clearSignature()
        return block
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

  /// Moves free blocks of `span` to an empty cache, but for the first, which the caller takes.
  private func fill(_ cache: BlockCache, from span: Span) {
    let first = span.record.pointee.free.unsafelyUnwrapped
    first.checkSignature()
    var last = first
    var count: Int32 = 1
    while count <= cache.state.pointee.limit / 2, let next = last.next {
      next.checkSignature()
      last = next
      count += 1
    }
    span.record.pointee.free = last.next
    span.record.pointee.used += count
    if count == 1 { return }
    cache.state.pointee.first = first.next
    last.link(to: nil)
    cache.state.pointee.count = count - 1
  }

  /// Takes a new span from the page heap.
  private func takeSpan(_ index: Int, mayMap: Bool) -> Bool {
    let slots = SizeClass.slotCount(index)
    guard let (span, _) = PageHeap.shared.allocate(count: slots, align: 1, mayMap: mayMap) else { return false }
    span.initialize(
      state: .blocks, slotCount: slots, blockSize: SizeClass.blockSize(index), sizeClass: index, owner: address)
    state.pointee.spanCount += 1
    insert(span)
    return true
  }

  // MARK: Getting blocks back

  /// Releases a list of blocks of a span of this heap.
  private func release(_ first: FreeBlock, _ last: FreeBlock, count: Int, of span: Span) {
    last.link(to: span.record.pointee.free)
    span.record.pointee.free = first
    span.record.pointee.used -= Int32(truncatingIfNeeded: count)
    // The bias of a full one may be passed.
    if span.record.pointee.used <= 0 { spanDrained(span) }
  }

  /// What is to be done when the blocks out of `span`, less its bias, have become 0.
  private func spanDrained(_ span: Span) {
    if span.isFull { setAvailable(span) }
    if span.record.pointee.used == 0 { releaseSpan(span) }
  }

  /// Releases a block of whichever heap's span, where the cache could not take it.
  @_noLocks
  func releaseSlowly(_ block: FreeBlock, of span: Span) {
    let cache = cache(Int(span.record.pointee.sizeClass))
    let isOwn = span.owner == address
    let suspect = block.isSigned
    if suspect {
      if cache.contains(block) { Misuse.freeTwice.die(block.address) }
      if isOwn { span.checkNotFree(block) }
    }
    if cache.state.pointee.limit == 0 || suspect {
      if isOwn { return release(block, block, count: 1, of: span) }
      return ThreadHeap.releaseRemotely(block, block, count: 1, of: span, suspect: suspect)
    }
    if cache.isFull { sendHome(cache.cut(keeping: Int(cache.state.pointee.limit) / 2)) }
    cache.push(block)
  }

  /// Releases a list of blocks of whichever heaps' spans to these.
  private func sendHome(_ list: FreeBlock?) {
    var rest = list
    while let first = rest {
      first.checkSignature()
      let span = Span(containing: first.address)
      var (last, count) = (first, 1)
      rest = first.next
      while let next = rest, Span(containing: next.address) == span {
        next.checkSignature()
        (last, rest) = (next, next.next)
        count += 1
      }
      if span.owner == address {
        release(first, last, count: count, of: span)
      } else {
        ThreadHeap.releaseRemotely(first, last, count: count, of: span, suspect: false)
      }
    }
  }

  /// Puts a list of blocks of `span` on its remote queue.
  @_noLocks
  static func releaseRemotely(_ first: FreeBlock, _ last: FreeBlock, count: Int, of span: Span, suspect: Bool) {
    guard RemoteQueue(of: span).push(first: first, last: last, count: count, suspect: suspect) else { return }
    notify(span)
  }

  /// Puts `span` into its owner's inbox.
  @_noLocks
  static func notify(_ span: Span) {
    var span = span
    while true {
      let owner = ThreadHeap(owning: span)
      owner.pushToInbox(span)
      // A heap whose spans have been adopted in between has an inbox that nobody looks at.
      if span.record.pointee.owner.load(ordering: .sequentiallyConsistent) == owner.address { return }
      guard let stray = owner.takeInbox() else { return }
      var rest = RemoteQueue(of: stray).record.pointee.nextInInbox
      while let other = rest {
        rest = RemoteQueue(of: other).record.pointee.nextInInbox
        ThreadHeap(owning: other).pushToInbox(other)
      }
      span = stray
    }
  }

  private init(owning span: Span) {
    // Safety: a span of blocks always has an owner.
    base =
      UnsafeMutableRawPointer(bitPattern: span.record.pointee.owner.load(ordering: .sequentiallyConsistent))
      .unsafelyUnwrapped
  }

  private func pushToInbox(_ span: Span) {
    let queue = RemoteQueue(of: span)
    var first = inbox.pointee.load(ordering: .relaxed)
    while true {
      queue.record.pointee.nextInInbox = Span(address: first)
      let (exchanged, now) = inbox.pointee.weakCompareExchange(
        expected: first, desired: span.address, ordering: .sequentiallyConsistent)
      if exchanged { return }
      first = now
    }
  }

  private func takeInbox() -> Span? { Span(address: inbox.pointee.exchange(0, ordering: .sequentiallyConsistent)) }

  /// Takes home the blocks that other threads have released.
  @_noLocks
  func collectInbox() {
    var rest = takeInbox()
    while let span = rest {
      rest = RemoteQueue(of: span).record.pointee.nextInInbox
      if span.owner == address { collect(span) } else { ThreadHeap.notify(span) }
    }
  }

  private func collect(_ span: Span) {
    let word = RemoteQueue(of: span).take()
    guard let first = RemoteQueue.first(word) else { return }
    let count = RemoteQueue.count(word)
    if RemoteQueue.isSuspect(word) { span.checkReleasedOnce(first, count: count) }
    if let free = span.record.pointee.free {
      var last = first
      for _ in 1..<max(count, 1) { last = last.next.unsafelyUnwrapped }
      last.link(to: free)
    }
    span.record.pointee.free = first
    if span.isFull { setAvailable(span) }
    span.record.pointee.used -= Int32(truncatingIfNeeded: count)
    if span.record.pointee.used == 0 { releaseSpan(span) }
  }

  // MARK: Lists

  private func list(_ index: Int) -> SpanList { SpanList(available + index) }

  private var fullList: SpanList {
    SpanList(UnsafeMutableRawPointer(state).assumingMemoryBound(to: Span.self))
  }

  /// Lists a span with something to take. It is last, so that it gathers more blocks until its turn comes.
  private func insert(_ span: Span) {
    let index = Int(span.record.pointee.sizeClass)
    list(index).append(span)
    if list(index).first == span { setCurrent(span) }
  }

  /// Makes a span of a list its first, in place of `current`.
  private func moveToFront(_ span: Span, before current: Span) {
    let index = Int(span.record.pointee.sizeClass)
    list(index).remove(span)
    list(index).prepend(span)
    setCurrent(span)
    current.setBias(0)
    // An empty span is kept only as the current one.
    if current.record.pointee.used == 0 { releaseSpan(current) }
  }

  private func setCurrent(_ span: Span) { span.setBias(span.mayStayEmpty ? -1 : 0) }

  private func setFull(_ span: Span) {
    unlist(span)
    let capacity = Int32(span.record.pointee.capacity)
    span.setBias(capacity - max(capacity / 16, 1))
    span.record.pointee.isFull = true
    fullList.append(span)
  }

  private func setAvailable(_ span: Span) {
    unlist(span)
    span.record.pointee.isFull = false
    span.setBias(0)
    insert(span)
  }

  /// Takes a span out of whichever list it is in.
  private func unlist(_ span: Span) {
    if span.isFull { return fullList.remove(span) }
    let index = Int(span.record.pointee.sizeClass)
    let wasCurrent = list(index).first == span
    list(index).remove(span)
    if wasCurrent && !list(index).isEmpty { setCurrent(list(index).first) }
  }

  /// Gives an empty span of a list of available ones to the page heap.
  private func releaseSpan(_ span: Span) {
    unlist(span)
    state.pointee.spanCount -= 1
    PageHeap.shared.release(span)
  }

  // MARK: The end of a thread, and after

  /// Takes home what other threads have released, and gives away the spans that are empty.
  @_noLocks
  func releaseEmptySpans() {
    for index in 0..<SizeClass.count { sendHome(cache(index).cut(keeping: 0)) }
    collectInbox()
    for index in 0..<SizeClass.count {
      let span = available[index]
      // Only the current one can be empty.
      if !span.isNone, span.blocksOut == 0 { releaseSpan(span) }
    }
  }

  /// Takes over all spans of a heap whose thread has ended. Returns whether there were any.
  private func adoptSpans() -> Bool {
    guard let other = HeapPool.shared.take(withSpans: true) else { return false }
    other.collectInbox()
    for index in 0..<SizeClass.count {
      while !other.available[index].isNone {
        let span = other.available[index]
        other.unlist(span)
        span.setBias(0)
        span.record.pointee.owner.store(address, ordering: .sequentiallyConsistent)
        insert(span)
        state.pointee.spanCount += 1
      }
    }
    while !other.fullList.isEmpty {
      let span = other.fullList.first
      other.unlist(span)
      span.record.pointee.owner.store(address, ordering: .sequentiallyConsistent)
      fullList.append(span)
      state.pointee.spanCount += 1
    }
    other.state.pointee.spanCount = 0
    // What came in before the owner changed; later senders see that it has.
    other.collectInbox()
    HeapPool.shared.put(other)
    collectInbox()
    return true
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

  var hasFreeBlock: Bool {
    @_noLocks get { if case .some = record.pointee.free { true } else { false } }
  }

  /// Whether the span is small enough to be kept by its heap when it is empty.
  var mayStayEmpty: Bool { @_noLocks get { record.pointee.slotCount <= 8 } }
}

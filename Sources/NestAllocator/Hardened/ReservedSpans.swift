// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Spans in which no block is used any more, and whose addresses are kept for others of their class: where addresses of classes are
// separate, a pointer to a block that has been released never points to a block of another class.
//
//     chunks ──▶ □ ──▶ □ ──▶ □          chunks for blocks of classes alone; what is free of their pages has never been used
//     dirty(1…80)    ▶ □ ◀─▶ □          of each class, spans whose pages have not gone back to the system: used first
//     clean(1…80)    ▶ □ ◀─▶ □          and spans whose pages have
//
// What has been dirty for long enough (see ``Decay``) goes back to the system, and what is more than an eighth of these chunks does at once: the runs
// of dirty pages of one chunk after the other, of whichever classes. Meanwhile nobody has their spans. All of this is under the lock of
// the page heap for classes, which is not held over a system call. A span here is in no heap, and has `sizeClass`, `pageCount` and
// `isGuarded` as it had.
//
// Only when memory or address space is exhausted are all of them given up, and their pages used for whatever is wanted.

struct ReservedSpans {
  struct State: ~Copyable {
    /// Pages of all spans that are dirty.
    var dirtyCount: Int
    var decay: Decay
    /// Whether more is dirty than may be, and was not much less since.
    var isOver: Bool
    /// The first chunk of classes.
    var chunks: Chunk?
    /// Where to look next for dirty pages.
    var cursor: Chunk?
    var cursorPage: Int
  }

  private let storage: UnsafeMutableRawPointer

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { self.storage = storage }

  static var shared: ReservedSpans { @_noLocks get { ReservedSpans(nest_reserved_spans()) } }

  private var lock: Lock { @_noLocks get { PageHeap.ofClasses.lock } }

  private var state: UnsafeMutablePointer<State> { @_noLocks get { storage.assumingMemoryBound(to: State.self) } }

  private static var listsOffset: Int { @_noLocks get { 128 } }

  /// First spans, by class.
  private var dirty: UnsafeMutablePointer<Span?> {
    @_noLocks get { (storage + ReservedSpans.listsOffset).assumingMemoryBound(to: Span?.self) }
  }
  private var clean: UnsafeMutablePointer<Span?> { @_noLocks get { dirty + (SizeClass.last + 1) } }

  /// Pages that stay dirty unless they are asked for.
  private static var keptPages: Int { @_noLocks get { 32 } }
  /// Pages that may be dirty at least: 4 MiB, as a program that uses one class now and another one then takes and releases these again and again.
  private static var leastLimit: Int { @_noLocks get { 1024 } }
  /// Pages that one system call gives back, with those of one span.
  private static var stepPages: Int { @_noLocks get { 256 } }
  /// System calls that one call makes.
  private static var stepCount: Int { @_noLocks get { 16 } }

  // MARK: Taking and keeping

  /// Takes a span of a class. Nil where there is none.
  @_noLocks
  func take(_ index: Int) -> Span? {
    lock.lock()
    guard let span = dirty[index] ?? clean[index] else {
      lock.unlock()
      return nil
    }
    takeOut(span)
    state.pointee.decay.note(free: state.pointee.dirtyCount)
    lock.unlock()
    return span
  }

  /// Keeps a span, in which no block is used, for its class.
  @_noLocks
  func put(_ span: Span) {
    lock.lock()
    link(span, isDirty: true)
    lock.unlock()
    if nest_has_helper() != 0 { nest_wake_helper() }
    var steps = ReservedSpans.stepCount
    while steps > 0, purge(isHelper: false) > 0 { steps -= 1 }
  }

  private func link(_ span: Span, isDirty: Bool) {
    let list = (isDirty ? dirty : clean) + span.sizeClass
    span.record.pointee.previous = nil
    span.record.pointee.next = list.pointee
    if let first = list.pointee { first.record.pointee.previous = span }
    list.pointee = span
    if isDirty {
      let run = span.run
      run.chunk.reserved.set(from: run.first, count: run.count)
      state.pointee.dirtyCount += run.count
    }
    span.record.pointee.state = .reserved
  }

  /// Takes a span out of its list: from then on it is nobody's.
  private func takeOut(_ span: Span) {
    let run = span.run
    let isDirty = run.chunk.reserved.contains(run.first)
    let (next, previous) = (span.record.pointee.next, span.record.pointee.previous)
    if let previous { previous.record.pointee.next = next } else { (isDirty ? dirty : clean)[span.sizeClass] = next }
    if let next { next.record.pointee.previous = previous }
    if isDirty {
      run.chunk.reserved.clear(from: run.first, count: run.count)
      state.pointee.dirtyCount -= run.count
    }
    span.record.pointee.state = .free
  }

  // MARK: Giving back

  /// Gives a run of dirty pages back to the system if that is due. Returns how many it has looked at; 0 if none is due, or the system refuses.
  @_noLocks
  private func purge(isHelper: Bool) -> Int {
    lock.lock()
    let limit = state.pointee.dirtyCount > ReservedSpans.keptPages ? limit(isHelper: isHelper) : 0
    return purge(limit: limit)
  }

  /// Pages that are to be given back now.
  private func limit(isHelper: Bool) -> Int {
    let most = max(PageHeap.ofClasses.state.pointee.mappedPages / 8, ReservedSpans.leastLimit)
    let dirtyCount = state.pointee.dirtyCount
    state.pointee.isOver = dirtyCount > (state.pointee.isOver ? most - most / 4 : most)
    if state.pointee.isOver { return ReservedSpans.stepPages }
    if !isHelper, nest_has_helper() != 0 { return 0 }
    if state.pointee.decay.due == 0 {
      state.pointee.decay.tick(now: nest_milliseconds(), free: dirtyCount, kept: ReservedSpans.keptPages)
    }
    return min(state.pointee.decay.due, ReservedSpans.stepPages)
  }

  /// Gives back the next run of dirty pages, of at most `limit` pages and one span. Under the lock, which it opens. Where the system's pages
  /// are larger, there may be none in the run.
  private func purge(limit: Int) -> Int {
    guard limit > 0, let run = takeOut(limit) else {
      lock.unlock()
      return 0
    }
    lock.unlock()
    run.chunk.keepPagesSmall()
    // Whole pages of the system's.
    let whole = max(Int(nest_page_size()) >> Chunk.pageShift, 1)
    let first = (run.first + whole - 1) & -whole
    let count = (run.end - first) & -whole
    let isPurged = count > 0 && nest_purge(run.chunk.address(page: first), count << Chunk.pageShift) != 0
    lock.lock()
    var page = run.first
    while page < run.end {
      let span = run.chunk.span(page: page)
      link(span, isDirty: !isPurged)
      page += Int(span.record.pointee.pageCount)
    }
    let isRefused = !isPurged && count > 0
    if isRefused {
      state.pointee.decay.giveUp()
    } else {
      state.pointee.decay.noteReturned(run.count, free: state.pointee.dirtyCount)
    }
    lock.unlock()
    return isRefused ? 0 : run.count
  }

  /// Takes the spans of the next run of dirty pages out of their lists.
  private func takeOut(_ limit: Int) -> PageRun? {
    if state.pointee.dirtyCount == 0 { return nil }
    while true {
      guard let chunk = state.pointee.cursor ?? state.pointee.chunks else { return nil }
      let first = nextDirty(chunk, from: state.pointee.cursorPage)
      if first >= Chunk.pageCount {
        state.pointee.cursor = chunk.header.pointee.nextOfClasses
        state.pointee.cursorPage = 0
        continue
      }
      let end = min(chunk.reserved.next(from: first, value: false), first + limit)
      var page = first
      while page < end {
        let span = chunk.span(page: page)
        takeOut(span)
        page += Int(span.record.pointee.pageCount)
      }
      state.pointee.cursor = chunk
      state.pointee.cursorPage = page
      return PageRun(chunk, first, page - first)
    }
  }

  /// The first page of a chunk, from `page` on, at which a span of dirty pages begins; `Chunk.pageCount` where there is none.
  ///
  /// There may be other spans than when a search ended at `page`, if they were given up meanwhile, and `page` be within one.
  private func nextDirty(_ chunk: Chunk, from page: Int) -> Int {
    var next = chunk.reserved.next(from: page, value: true)
    while next < Chunk.pageCount {
      // The first of pages that are dirty is the first of a span, and so is what comes behind that one.
      var first = chunk.reserved.startOfRun(next)
      while first < next { first += Int(chunk.span(page: first).record.pointee.pageCount) }
      if first < Chunk.pageCount, chunk.reserved.contains(first) { return first }
      next = chunk.reserved.next(from: first, value: true)
    }
    return Chunk.pageCount
  }

  /// Gives back what is due, and returns whether something may become due later. For the helper.
  @_noLocks
  func releaseDue() -> Bool {
    var (rest, pages) = (dirtyCountNow, 0)
    repeat {
      pages = purge(isHelper: true)
      rest -= pages
    } while pages > 0 && rest > 0
    return dirtyCountNow > ReservedSpans.keptPages
  }

  /// Gives all pages back to the system.
  @_noLocks
  func releaseFreeMemory() {
    var (rest, pages) = (dirtyCountNow, 0)
    repeat {
      lock.lock()
      pages = purge(limit: Chunk.pageCount)
      rest -= pages
    } while pages > 0 && rest > 0
  }

  /// Gives up all spans: their pages are for whoever wants them.
  @_noLocks
  func giveUpAll() {
    var index = 0
    while index <= SizeClass.last {
      lock.lock()
      guard let span = dirty[index] ?? clean[index] else {
        lock.unlock()
        index += 1
        continue
      }
      takeOut(span)
      lock.unlock()
      let run = span.run
      if !span.record.pointee.isGuarded || GuardPages.open(run) { PageHeap.ofClasses.release(run) }
    }
  }

  // MARK: Chunks, under the lock

  @_noLocks
  func add(_ chunk: Chunk) {
    chunk.header.pointee.nextOfClasses = state.pointee.chunks
    state.pointee.chunks = chunk
  }

  /// Takes out a chunk of which every page is free.
  @_noLocks
  func remove(_ chunk: Chunk) {
    if state.pointee.cursor?.base == chunk.base {
      state.pointee.cursor = nil
      state.pointee.cursorPage = 0
    }
    let next = chunk.header.pointee.nextOfClasses
    guard var before = state.pointee.chunks, before.base != chunk.base else {
      state.pointee.chunks = next
      return
    }
    while let other = before.header.pointee.nextOfClasses, other.base != chunk.base { before = other }
    before.header.pointee.nextOfClasses = next
  }

  /// Pages of spans that are dirty. Under the lock.
  var dirtyCount: Int { @_noLocks get { state.pointee.dirtyCount } }

  private var dirtyCountNow: Int {
    @_noLocks get {
      lock.lock()
      defer { lock.unlock() }
      return dirtyCount
    }
  }

  // MARK: After fork

  /// Lists and counts anew what the spans say, after a change that was not ended. Of those that were on their way nobody knows.
  @_noLocks
  func rebuild() {
    state.pointee.dirtyCount = 0
    state.pointee.decay = Decay()
    state.pointee.isOver = false
    state.pointee.chunks = nil
    state.pointee.cursor = nil
    state.pointee.cursorPage = 0
    var index = 0
    while index <= SizeClass.last {
      dirty[index] = nil
      clean[index] = nil
      index += 1
    }
    var candidate = AddressMap.nextChunk(0)
    while let chunk = candidate {
      candidate = AddressMap.nextChunk(chunk.end)
      if !chunk.isOfClasses { continue }
      add(chunk)
      var page = Chunk.firstPage
      while page < chunk.mappedCount {
        let span = chunk.span(page: page)
        if span.isReserved, !chunk.free.contains(page) {
          chunk.reserved.clear(from: page, count: Int(span.record.pointee.pageCount))
          link(span, isDirty: true)
          page += Int(span.record.pointee.pageCount)
        } else {
          chunk.reserved.clear(from: page, count: 1)
          page += 1
        }
      }
    }
  }

  /// Stops the process where an invariant does not hold. Under the lock.
  func checkInvariants() {
    precondition(MemoryLayout<State>.size <= ReservedSpans.listsOffset)
    precondition(ReservedSpans.listsOffset + 16 * (SizeClass.last + 1) <= 1984)
    var count = 0
    for index in 0...SizeClass.last {
      for (list, isDirty) in [(dirty[index], true), (clean[index], false)] {
        var (candidate, previous): (Span?, Span?) = (list, nil)
        while let span = candidate {
          let run = span.run
          precondition(span.isReserved && span.sizeClass == index && span.owner == 0 && run.chunk.isOfClasses)
          precondition(span.record.pointee.previous?.record == previous?.record)
          for page in run.first..<run.end {
            precondition(run.chunk.reserved.contains(page) == isDirty && !run.chunk.free.contains(page))
            precondition(run.chunk.entry(page: page).pointee.reciprocal == 0)
          }
          if isDirty { count += run.count }
          (candidate, previous) = (span.record.pointee.next, span)
        }
      }
    }
    precondition(count == state.pointee.dirtyCount)
  }
}

extension Span {
  /// Whether the span has no block, and is kept for others of its class.
  var isReserved: Bool {
    @_noLocks get { if case .reserved = record.pointee.state { true } else { false } }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// The page heap: runs of pages in chunks, and which of their pages are free. One lock, taken once for a span and not for a
// block, and never held over a system call.
//
//     index of free runs ───▶ chunks ◀─── index of dirty runs
//
// A run is taken from where the shortest that suffices is, of dirty pages if there is one (they cost no page fault and no
// memory), else of any. When there is none, a chunk is mapped.
//
// What has been free for long enough (see ``Decay``) goes back to the system in steps: each call that finds something due takes
// runs of at most ``stepPages`` pages out, gives them back with no lock held, and puts them in again as clean ones. One step
// at a time is under way. Chunks of which every page is free and clean are unmapped, all but one.

struct PageHeap {
  struct State: ~Copyable {
    /// Pages of all chunks that are dirty, among the free ones.
    var dirtyCount: Int
    var decay: Decay
    var chunkCount: Int
    /// Pages of all chunks that are mapped.
    var mappedPages: Int
    /// Chunks of which every page is free.
    var emptyChunks: Int
    /// Where the next chunk is hoped to fit: below the last one.
    var hint: UInt
    /// The only chunk that may still grow.
    var growing: Chunk?
    /// Threads that walk over chunks: none is unmapped meanwhile.
    var walkers: Int
    /// The run that is on its way to the system; a count of 0 for none.
    var stepStart: UInt
    var stepCount: Int
    /// Whose it is: a thread, and the process in which it took it.
    var stepThread: UInt
    var stepProcess: UInt32
  }

  /// Free pages that do not decay, unless they are asked for.
  static var keptPages: Int { @_noLocks get { 32 } }
  /// Pages that one step gives back: some 20 microseconds.
  static var stepPages: Int { @_noLocks get { 64 } }
  /// Runs that one call gives back.
  static var stepRuns: Int { @_noLocks get { 16 } }
  /// Pages of a process's first chunk.
  static var firstChunkPages: Int { @_noLocks get { 64 } }

  private let storage: UnsafeMutableRawPointer

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { self.storage = storage }

  static var shared: PageHeap { @_noLocks get { PageHeap(nest_page_heap()) } }

  /// The one of chunks for blocks of classes alone, where addresses of classes are separate: what is free there has never been used. See
  /// ``ReservedSpans``, which has the same lock.
  static var ofClasses: PageHeap { @_noLocks get { PageHeap(nest_class_pages()) } }

  var isOfClasses: Bool { @_noLocks get { storage == nest_class_pages() } }

  var lock: Lock {
    @_noLocks get { Lock(nest_lock(isOfClasses ? NEST_CLASS_PAGES_LOCK : NEST_PAGE_HEAP_LOCK)) }
  }

  var state: UnsafeMutablePointer<State> {
    @_noLocks get { storage.assumingMemoryBound(to: State.self) }
  }

  private static var freeIndexOffset: Int { @_noLocks get { 192 } }

  var freeIndex: FreeRunIndex {
    @_noLocks get { FreeRunIndex(storage + PageHeap.freeIndexOffset, ofDirtyPages: false) }
  }
  var dirtyIndex: FreeRunIndex {
    @_noLocks get { FreeRunIndex(storage + PageHeap.freeIndexOffset + FreeRunIndex.byteCount, ofDirtyPages: true) }
  }

  // MARK: Taking and releasing runs

  /// Takes a run of `count` pages that begins at a multiple of `align` pages. Returns it, and whether all of it is zeros.
  /// Maps more only if `mayMap`; nil when there is none, or memory is exhausted.
  @_noLocks
  func allocate(count: Int, align: Int, mayMap: Bool) -> (run: PageRun, isZeroed: Bool)? {
    while true {
      lock.lock()
      if let run = findRun(count: count, align: align) {
        let isZeroed = take(run) == 0
        let step = beginOwnStep()
        lock.unlock()
        finishSteps(step)
        return (run, isZeroed)
      }
      let (growing, hint, isFirst) = (state.pointee.growing, state.pointee.hint, state.pointee.chunkCount == 0)
      let mapped = growing.map { $0.mappedCount } ?? 0
      lock.unlock()
      guard mayMap else { return nil }
      // Another thread may take what this one maps: then it maps again.
      if let growing, grow(growing, from: mapped, by: count + align - 1) { continue }
      if !mapChunk(hint: hint, isFirst: isFirst && count + align <= PageHeap.firstChunkPages / 2) { return nil }
    }
  }

  /// Takes back a run, or a part of one. Its pages' records and entries are those of no span.
  @_noLocks
  func release(_ run: PageRun, isDirty: Bool = true) {
    lock.lock()
    put(run, dirty: isDirty)
    let step = beginOwnStep()
    lock.unlock()
    finishSteps(step)
  }

  /// Takes the `count` pages behind a run, if they are free. Returns whether they were.
  @_noLocks
  func extend(_ run: PageRun, by count: Int) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard run.chunk.free.contains(from: run.end, count: count) else { return false }
    _ = take(PageRun(run.chunk, run.end, count))
    return true
  }

  /// Whether the 64 bytes in front of a run are zeros, or in a page that somebody has or has had: others are zeros as they came from the system.
  @_noLocks
  func isClear(before run: PageRun) -> Bool {
    let page = run.first - 1
    lock.lock()
    defer { lock.unlock() }
    guard page >= Chunk.firstPage, run.chunk.free.contains(page), !run.chunk.dirty.contains(page) else { return true }
    return nest_is_clear(run.start - 64, 64) != 0
  }

  private func findRun(count: Int, align: Int) -> PageRun? {
    // A run of so many pages has an aligned one in it, wherever it begins.
    let needed = count + align - 1
    if state.pointee.dirtyCount >= count, let chunk = dirtyIndex.find(needed),
      let first = chunk.dirty.findRun(count: count, align: align)
    {
      return PageRun(chunk, first, count)
    }
    guard let chunk = freeIndex.find(needed), let first = chunk.free.findRun(count: count, align: align) else {
      return nil
    }
    return PageRun(chunk, first, count)
  }

  /// Returns how many of the pages were dirty.
  private func take(_ run: PageRun) -> Int {
    if run.chunk.isEmpty { state.pointee.emptyChunks -= 1 }
    let dirty = run.chunk.setUsed(run.first, run.count)
    freeIndex.noteRemoved(run.chunk, run.first, run.count)
    if dirty > 0 {
      dirtyIndex.noteRemoved(run.chunk, run.first, run.count)
      state.pointee.dirtyCount -= dirty
      state.pointee.decay.note(free: state.pointee.dirtyCount)
    }
    return dirty
  }

  private func put(_ run: PageRun, dirty: Bool) {
    run.chunk.setFree(run.first, run.count, dirty: dirty)
    freeIndex.noteAdded(run.chunk, page: run.first)
    if dirty {
      dirtyIndex.noteAdded(run.chunk, page: run.first)
      state.pointee.dirtyCount += run.count
    }
    if run.chunk.isEmpty { state.pointee.emptyChunks += 1 }
  }

  // MARK: Chunks, without the lock

  /// Maps more of a chunk of `mapped` pages: as much again, and at least `count` pages. Returns whether it has grown, by
  /// whichever thread. What is behind it may have been mapped by somebody else; then it never grows again.
  @_noLocks
  private func grow(_ chunk: Chunk, from mapped: Int, by count: Int) -> Bool {
    let more = min(max(mapped, (count + 63) & ~63), Chunk.pageCount - mapped)
    let isMapped = more >= count && nest_map_at(chunk.address(page: mapped), more << Chunk.pageShift) != 0
    lock.lock()
    // It may be gone by now, or have grown.
    let isAsBefore = state.pointee.growing?.base == chunk.base && chunk.mappedCount == mapped
    guard isMapped, isAsBefore else {
      if isAsBefore { endGrowth(chunk) }
      lock.unlock()
      if isMapped { SystemMemory.unmap(chunk.address(page: mapped), more << Chunk.pageShift) }
      return !isAsBefore
    }
    defer { lock.unlock() }
    if chunk.isEmpty { state.pointee.emptyChunks -= 1 }
    chunk.setMappedCount(mapped + more)
    state.pointee.mappedPages += more
    put(PageRun(chunk, mapped, more), dirty: false)
    if mapped + more == Chunk.pageCount { endGrowth(chunk) }
    return true
  }

  private func endGrowth(_ chunk: Chunk) {
    chunk.header.pointee.isAtItsEnd = true
    state.pointee.growing = nil
  }

  /// Maps a chunk, or the beginning of one. Returns false when memory is exhausted.
  @_noLocks
  private func mapChunk(hint: UInt, isFirst: Bool) -> Bool {
    let page = Int(nest_page_size())
    let size = isFirst ? max(PageHeap.firstChunkPages << Chunk.pageShift, page) : Chunk.size
    guard let base = mapChunk(size, hint: hint) else { return false }
    guard AddressMap.reserve(UInt(bitPattern: base)) else {
      SystemMemory.unmap(base, size)
      return false
    }
    let chunk = Chunk(base: base)
    chunk.initialize(mappedCount: size >> Chunk.pageShift)
    chunk.header.pointee.isOfClasses = isOfClasses
    lock.lock()
    defer { lock.unlock() }
    if isOfClasses { ReservedSpans.shared.add(chunk) }
    AddressMap.add(chunk)
    state.pointee.hint = UInt(bitPattern: base) - UInt(Chunk.size)
    state.pointee.chunkCount += 1
    state.pointee.mappedPages += chunk.mappedCount
    state.pointee.emptyChunks += 1
    if isFirst { state.pointee.growing = chunk }
    freeIndex.insert(chunk)
    dirtyIndex.insert(chunk)
    return true
  }

  private func mapChunk(_ size: Int, hint: UInt) -> UnsafeMutableRawPointer? {
    var candidate = hint
    if candidate == 0 {
      // The first one: below what the system hands out, with room between for others.
      guard let probe = nest_map(nil, Int(nest_page_size())) else { return nil }
      candidate = (UInt(bitPattern: probe) & ~UInt(Chunk.size - 1)) - UInt(3 * Chunk.size)
      // Somewhere else than those of the other heap.
      if isOfClasses { candidate -= UInt(64 + nest_random_below(448)) * UInt(Chunk.size) }
      SystemMemory.unmap(probe, Int(nest_page_size()))
    }
    if let base = SystemMemory.takeUnreturned(size, align: Chunk.size) { return base }
    if let base = UnsafeMutableRawPointer(bitPattern: candidate), nest_map_at(base, size) != 0 { return base }
    return SystemMemory.map(size, align: Chunk.size)
  }

  // MARK: Giving back

  /// A step of giving back, between its two halves.
  enum Step {
    case none
    case purge(PageRun)
    case unmap(Chunk)
  }

  /// Begins a step if something is due and nobody else does that. Under the lock.
  private func beginOwnStep() -> Step {
    if nest_has_helper() == 0 { return beginStep() }
    if state.pointee.dirtyCount > PageHeap.keptPages { nest_wake_helper() }
    return .none
  }

  /// Begins a step if something is due. Under the lock.
  @_noLocks
  func beginStep() -> Step {
    if state.pointee.stepCount > 0 { abandonStep() }
    guard state.pointee.stepCount == 0, state.pointee.dirtyCount > PageHeap.keptPages || state.pointee.decay.due > 0
    else { return .none }
    if state.pointee.decay.due == 0 {
      state.pointee.decay.tick(
        now: nest_milliseconds(), free: state.pointee.dirtyCount, kept: PageHeap.keptPages)
      if state.pointee.decay.due == 0 { return .none }
    }
    return beginStep(limit: min(state.pointee.decay.due, PageHeap.stepPages))
  }

  private func beginStep(limit: Int) -> Step {
    guard let chunk = dirtyIndex.longest, let run = purgeableRun(chunk, limit: limit) else {
      state.pointee.decay.giveUp()
      return .none
    }
    // Taken, it is nobody else's. The decay does not count it: it is free for others as soon as it is back.
    if chunk.isEmpty { state.pointee.emptyChunks -= 1 }
    _ = chunk.setUsed(run.first, run.count)
    freeIndex.noteRemoved(chunk, run.first, run.count)
    dirtyIndex.noteRemoved(chunk, run.first, run.count)
    state.pointee.dirtyCount -= run.count
    state.pointee.stepStart = UInt(bitPattern: run.start)
    state.pointee.stepThread = nest_thread_identity()
    state.pointee.stepProcess = nest_process_number()
    state.pointee.stepCount = run.count
    return .purge(run)
  }

  /// Whole pages of the system's, at most `limit` pages or one of those.
  private func purgeableRun(_ chunk: Chunk, limit: Int) -> PageRun? {
    let whole = max(Int(nest_page_size()) >> Chunk.pageShift, 1)
    let most = max(limit & -whole, whole)
    let longest = dirtyIndex.longestRun(chunk)
    guard let start = chunk.dirty.findRun(count: min(longest, most), align: 1) else { return nil }
    let end = min(chunk.dirty.next(from: start, value: false), start + most + whole - 1)
    let first = (start + whole - 1) & -whole
    let count = min((end - first) & -whole, most)
    return count > 0 ? PageRun(chunk, first, count) : nil
  }

  /// Finishes a step, and more of them where the runs are short: what is free may be single pages.
  @_noLocks
  private func finishSteps(_ first: Step) {
    guard case .purge(let run) = first else { return }
    var (step, pages, runs) = (first, run.count, 1)
    while finishStep(step), runs < PageHeap.stepRuns, pages < PageHeap.stepPages {
      lock.lock()
      step = beginStep()
      lock.unlock()
      guard case .purge(let next) = step else { return }
      pages += next.count
      runs += 1
    }
  }

  /// Gives back what the step has taken out. Without the lock. Returns whether the system has taken it.
  @_noLocks @discardableResult
  func finishStep(_ step: Step) -> Bool {
    switch step {
    case .none: return false
    case .unmap(let chunk):
      SystemMemory.unmap(chunk.base, chunk.mappedCount << Chunk.pageShift)
      return true
    case .purge(let run):
      run.chunk.keepPagesSmall()
      let isPurged = nest_purge(run.start, run.byteCount) != 0
      lock.lock()
      state.pointee.stepCount = 0
      put(run, dirty: !isPurged)
      if isPurged {
        state.pointee.decay.noteReturned(run.count, free: state.pointee.dirtyCount)
      } else {
        state.pointee.decay.giveUp()
      }
      let isUnmapped = isPurged && run.chunk.isEmpty && run.chunk.header.pointee.dirtyCount == 0
      let mayUnmap = isUnmapped && state.pointee.emptyChunks > 1 && state.pointee.walkers == 0
      let next: Step = mayUnmap ? removeEmpty(run.chunk) : .none
      lock.unlock()
      finishStep(next)
      return isPurged
    }
  }

  /// Takes an empty chunk out of the heap. Under the lock.
  private func removeEmpty(_ chunk: Chunk) -> Step {
    freeIndex.remove(chunk)
    dirtyIndex.remove(chunk)
    state.pointee.dirtyCount -= Int(chunk.header.pointee.dirtyCount)
    state.pointee.decay.note(free: state.pointee.dirtyCount)
    state.pointee.emptyChunks -= 1
    state.pointee.chunkCount -= 1
    state.pointee.mappedPages -= chunk.mappedCount
    if state.pointee.growing?.base == chunk.base { state.pointee.growing = nil }
    if isOfClasses { ReservedSpans.shared.remove(chunk) }
    AddressMap.remove(chunk)
    return .unmap(chunk)
  }

  /// Pages of the chunk that nobody uses. The chunk stays, during a walk.
  @_noLocks
  func freePageCount(of chunk: Chunk) -> Int {
    lock.lock()
    defer { lock.unlock() }
    return Int(chunk.header.pointee.freeCount)
  }

  /// Gives back what is due, in steps, and returns whether something may become due later. For the helper.
  @_noLocks
  func releaseDue() -> Bool {
    while true {
      lock.lock()
      let step = state.pointee.stepCount == 0 ? beginStep() : .none
      let isDirty = state.pointee.dirtyCount > PageHeap.keptPages
      lock.unlock()
      if !finishStep(step) { return isDirty }
    }
  }

  /// Gives all free memory back, in steps. Other threads go on meanwhile.
  @_noLocks
  func releaseFreeMemory() {
    while releaseEmptyChunk() {}
    while true {
      lock.lock()
      let step =
        state.pointee.stepCount == 0 && state.pointee.dirtyCount > 0 ? beginStep(limit: Chunk.pageCount) : .none
      lock.unlock()
      if !finishStep(step) { return }
    }
  }

  /// Gives back up to `bytes` of what has been free since the interval began, and at most 1 MiB now: other memory is about
  /// to take its place.
  @_noLocks
  func releaseIdle(_ bytes: Int) {
    lock.lock()
    state.pointee.decay.hasten(bytes >> Chunk.pageShift, free: state.pointee.dirtyCount)
    lock.unlock()
    for _ in 0..<4 {
      lock.lock()
      let step = state.pointee.decay.due > 0 ? beginStep() : .none
      lock.unlock()
      if !finishStep(step) { return }
    }
  }

  /// Unmaps a chunk of which every page is free. Returns whether there was one.
  @_noLocks
  func releaseEmptyChunk() -> Bool {
    lock.lock()
    var step = Step.none
    if state.pointee.emptyChunks > 0, state.pointee.walkers == 0, let chunk = freeIndex.longest(where: { $0.isEmpty }) {
      step = removeEmpty(chunk)
    }
    lock.unlock()
    return finishStep(step)
  }

  // MARK: Walks

  /// Keeps the chunks of both heaps mapped until ``endWalk()``.
  @_noLocks
  static func beginWalk() {
    shared.beginOwnWalk()
    ofClasses.beginOwnWalk()
  }

  @_noLocks
  private func beginOwnWalk() {
    lock.lock()
    state.pointee.walkers += 1
    lock.unlock()
  }

  /// The same, without waiting. Returns whether chunks stay mapped.
  @_noLocks
  static func tryBeginWalk() -> Bool {
    guard shared.tryBeginOwnWalk() else { return false }
    if ofClasses.tryBeginOwnWalk() { return true }
    shared.endOwnWalk()
    return false
  }

  @_noLocks
  private func tryBeginOwnWalk() -> Bool {
    if !lock.tryLock() { return false }
    state.pointee.walkers += 1
    lock.unlock()
    return true
  }

  @_noLocks
  static func endWalk() {
    shared.endOwnWalk()
    ofClasses.endOwnWalk()
  }

  @_noLocks
  private func endOwnWalk() {
    lock.lock()
    // 0 in a child that fork has made in a signal handler, amid the walk.
    if state.pointee.walkers > 0 { state.pointee.walkers -= 1 }
    lock.unlock()
  }

  // MARK: After fork

  /// Takes back what a thread of the parent was about to give to the system. Under the lock.
  private func abandonStep() {
    guard state.pointee.stepProcess != nest_process_number(), state.pointee.stepThread != nest_thread_identity() else {
      return
    }
    let run = PageRun(
      Chunk(containing: state.pointee.stepStart), Chunk.page(of: state.pointee.stepStart), state.pointee.stepCount)
    state.pointee.stepCount = 0
    put(run, dirty: true)
  }

  /// Who walked over chunks in the parent is no more.
  @_noLocks
  func forgetWalks() { state.pointee.walkers = 0 }

  /// Lists and counts anew what the chunks say, after a change that was not ended.
  @_noLocks
  func rebuild() {
    freeIndex.clear()
    dirtyIndex.clear()
    state.pointee.dirtyCount = 0
    state.pointee.chunkCount = 0
    state.pointee.mappedPages = 0
    state.pointee.emptyChunks = 0
    state.pointee.decay = Decay()
    if let growing = state.pointee.growing, growing.header.pointee.isAtItsEnd { state.pointee.growing = nil }
    var candidate = AddressMap.nextChunk(0)
    while let chunk = candidate {
      candidate = AddressMap.nextChunk(chunk.end)
      if chunk.isOfClasses != isOfClasses { continue }
      chunk.recount()
      freeIndex.insert(chunk)
      dirtyIndex.insert(chunk)
      state.pointee.dirtyCount += Int(chunk.header.pointee.dirtyCount)
      state.pointee.chunkCount += 1
      state.pointee.mappedPages += chunk.mappedCount
      if chunk.isEmpty { state.pointee.emptyChunks += 1 }
    }
    if isOfClasses { ReservedSpans.shared.rebuild() }
  }
}

extension PageHeap {
  /// Chunks, bytes that are mapped of them, and bytes of free pages that have been written, for statistics.
  var totals: (chunks: Int, mappedBytes: Int, dirtyBytes: Int) {
    @_noLocks get {
      lock.lock()
      defer { lock.unlock() }
      return (
        state.pointee.chunkCount, state.pointee.mappedPages << Chunk.pageShift,
        (state.pointee.dirtyCount + (isOfClasses ? ReservedSpans.shared.dirtyCount : 0)) << Chunk.pageShift
      )
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
    return state.pointee.dirtyCount << Chunk.pageShift
  }

  /// Stops the process where an invariant does not hold.
  func checkInvariants() {
    precondition(MemoryLayout<State>.size <= PageHeap.freeIndexOffset)
    precondition(PageHeap.freeIndexOffset + 2 * FreeRunIndex.byteCount <= 2048)
    precondition(MemoryLayout<Chunk.Entry>.stride * Chunk.pageCount == Chunk.recordsOffset)
    precondition(MemoryLayout<Chunk.Header>.size <= Chunk.bitmapsOffset - Chunk.recordsOffset)
    precondition(
      Chunk.bitmapsOffset + 3 * Chunk.pageCount / 8 <= Chunk.recordsOffset + Chunk.firstPage * Chunk.recordSize)
    precondition(MemoryLayout<Span.Record>.size <= Chunk.recordSize)
    lock.lock()
    defer { lock.unlock() }
    var (dirty, empty, chunks, mapped, withFree, withDirty) = (0, 0, 0, 0, 0, 0)
    var candidate = AddressMap.nextChunk(0)
    while let chunk = candidate {
      candidate = AddressMap.nextChunk(chunk.end)
      if chunk.isOfClasses != isOfClasses { continue }
      precondition(AddressMap.isInChunk(UInt(bitPattern: chunk.base)))
      var free = 0
      for page in 0..<Chunk.pageCount where chunk.free.contains(page) {
        precondition(page >= Chunk.firstPage && page < chunk.mappedCount)
        precondition(chunk.span(page: page).record.pointee.owner.load(ordering: .relaxed) == 0)
        precondition(chunk.entry(page: page).pointee.reciprocal == 0)
        free += 1
      }
      for page in 0..<Chunk.pageCount where chunk.dirty.contains(page) { precondition(chunk.free.contains(page)) }
      let ownDirty = chunk.dirty.count(from: 0, count: Chunk.pageCount)
      precondition(free == Int(chunk.header.pointee.freeCount) && ownDirty == Int(chunk.header.pointee.dirtyCount))
      dirty += ownDirty
      chunks += 1
      mapped += chunk.mappedCount
      if chunk.isEmpty { empty += 1 }
      if free > 0 { withFree += 1 }
      if ownDirty > 0 { withDirty += 1 }
    }
    precondition(withFree == freeIndex.checkInvariants() && withDirty == dirtyIndex.checkInvariants())
    precondition(dirty == state.pointee.dirtyCount && empty == state.pointee.emptyChunks)
    precondition(chunks == state.pointee.chunkCount && mapped == state.pointee.mappedPages)
    // What another thread is giving back is due until it has gone.
    precondition(state.pointee.decay.due <= dirty + state.pointee.stepCount)
    if isOfClasses { ReservedSpans.shared.checkInvariants() }
  }
}

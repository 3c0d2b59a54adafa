// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// The heaps of all processors, and how much the threads' caches may keep.
//
// A process with one thread uses one heap; with more threads, as many as it has threads, and at most as many as it may use
// processors. Threads that wait cost no heap.

enum Heaps {
  struct State: ~Copyable {
    /// Heaps that are in use.
    let count: Atomic<Int>
    /// Threads that have a cache.
    let threads: Atomic<Int>
    /// Bytes by which the limits of all threads' bins have grown.
    let growth: Atomic<Int>
    /// Processors; 0 as long as nobody has asked.
    let processors: Atomic<Int>
    /// The highest number of a heap that a signal handler took beyond those in use; 0 where none did.
    let taken: Atomic<Int>
  }

  private static var state: UnsafeMutablePointer<State> {
    @_noLocks get { nest_heap_table().assumingMemoryBound(to: State.self) }
  }

  /// Bytes by which the limits of all bins may grow, for each heap.
  private static var growthPerHeap: Int { @_noLocks get { 512 << 10 } }

  /// Heaps that are in use, at least 1.
  static var count: Int { @_noLocks get { max(state.pointee.count.load(ordering: .relaxed), 1) } }

  /// The last heap that may have a block: one in use, or that a signal handler took.
  static var last: Int { @_noLocks get { max(count, state.pointee.taken.load(ordering: .relaxed)) } }

  /// Threads that have a cache.
  static var threadCount: Int { @_noLocks get { state.pointee.threads.load(ordering: .relaxed) } }

  /// Whether so many threads share the heaps that none may take much at once.
  static var isCrowded: Bool { @_noLocks get { threadCount > 4 * count } }

  /// A heap by its number, from 1.
  @_noLocks
  static func heap(_ number: Int) -> ProcessorHeap { ProcessorHeap(base: nest_processor_heap(number - 1)) }

  // MARK: Choice

  /// Locks a heap: the one with that number, if nobody has it, and another one otherwise.
  @_noLocks
  static func lockOne(_ number: Int) -> ProcessorHeap {
    let preferred = heap(number)
    if !preferred.lock.tryLock() { return lockAnother(preferred, count) }
    preferred.initialize()
    return preferred
  }

  @inline(never) @_noLocks
  private static func lockAnother(_ preferred: ProcessorHeap, _ count: Int) -> ProcessorHeap {
    var tried = 1
    // A signal handler may have interrupted the very code that holds the locks: then it takes one that nobody uses.
    let end = preferred.lock.isHeldByCaller ? Int(NEST_MOST_HEAPS) : count
    while tried < end {
      let other = heap((preferred.number - 1 + tried) % end + 1)
      if other.lock.tryLock() {
        other.initialize()
        if other.number > count { state.pointee.taken.max(other.number, ordering: .relaxed) }
        return other
      }
      tried += 1
    }
    preferred.lock.lock()
    preferred.initialize()
    return preferred
  }

  // MARK: Blocks

  /// Takes at least one block of class `index` from some heap, and up to `most` where all that a span has are more than that.
  /// Nil when memory is exhausted. `isNew` where a span had to be made.
  @_noLocks
  static func take(_ index: Int, most: Int, from number: Int) -> (first: FreeBlock, count: Int, isNew: Bool)? {
    let heap = lockOne(number)
    heap.collectRemoteFrees()
    if let kept = heap.transfer.take(index) {
      heap.unlock()
      return (FreeBlock(kept.first), kept.count, false)
    }
    if let taken = heap.take(index, most: most) ?? (heap.addSpare(index) ? heap.take(index, most: most) : nil) {
      heap.unlock()
      return (taken.first, taken.count, false)
    }
    heap.unlock()
    var found = SpanPages.allocate(index, mayMap: false)
    if found == nil {
      // What other processors have left is used before the system is asked for more.
      if let taken = takeFromOthers(index, most: most, than: heap) { return (taken.first, taken.count, false) }
      found = SpanPages.allocate(index, mayMap: true)
    }
    guard let found else { return nil }
    heap.lock.lock()
    if let taken = heap.take(index, most: most) {
      // Others have released some meanwhile.
      heap.unlock()
      found.release(index)
      return (taken.first, taken.count, false)
    }
    let run = found.run
    heap.add(run.chunk.span(page: run.first), index, pageCount: run.count, isGuarded: found.isGuarded)
    let taken = heap.take(index, most: most)
    if let old = heap.transfer.evict() { heap.giveBack(FreeBlock(old)) }
    heap.unlock()
    return taken.map { ($0.first, $0.count, true) }
  }

  private static func takeFromOthers(_ index: Int, most: Int, than heap: ProcessorHeap)
    -> (first: FreeBlock, count: Int)?
  {
    let last = last
    var number = 1
    while number <= last {
      let other = Heaps.heap(number)
      number += 1
      if other.base == heap.base || !other.lock.tryLock() { continue }
      other.initialize()
      other.collectRemoteFrees()
      let taken = other.take(index, most: most)
      other.unlock()
      if let taken { return taken }
    }
    return nil
  }

  /// One block of class `index`, for a thread that has no cache any more. Nil when memory is exhausted.
  @inline(never) @_noLocks
  static func allocate(_ index: Int, isMarked: Bool) -> UnsafeMutableRawPointer? {
    guard let block = take(index, most: 1, from: 1)?.first else { return nil }
    block.checkSignature()
    if isMarked { block.mark() } else { block.clearSignature() }
    return block.pointer
  }

  /// Releases one block, of a thread that has no cache.
  @inline(never) @_noLocks
  static func release(_ block: FreeBlock) {
    let span = Span(containing: block.address)
    if span.isSampled { return SampledBlocks.release(block.address) }
    let heap = heap(span.owner)
    guard heap.lock.tryLock() else { return heap.push(block, block) }
    heap.counts[span.sizeClass].used -= 1
    heap.put(SpanBlocks(block, of: span))
    heap.unlock()
  }

  // MARK: Threads

  /// Takes note of a thread more. Returns the number of the heap that it is to use: one that the fewest threads use.
  @_noLocks
  static func addThread() -> Int {
    let threads = state.pointee.threads.add(1, ordering: .relaxed).newValue
    var best = 1
    if threads > 1 || nest_samples() != 0 || nest_wants_helper() != 0 {
      if nest_may_have_helper() != 0, nest_has_helper() == 0 { nest_start_helper() }
      var processors = state.pointee.processors.load(ordering: .relaxed)
      if processors == 0 {
        processors = min(Int(nest_processor_count()), Int(NEST_MOST_HEAPS))
        state.pointee.processors.store(processors, ordering: .relaxed)
      }
      let wanted = min(threads, processors)
      if wanted > count { state.pointee.count.max(wanted, ordering: .relaxed) }
      var number = 2
      while number <= count {
        if threadCount(of: number) < threadCount(of: best) { best = number }
        number += 1
      }
    }
    heap(best).state.pointee.threads.add(1, ordering: .relaxed)
    return best
  }

  private static func threadCount(of number: Int) -> Int {
    heap(number).state.pointee.threads.load(ordering: .relaxed)
  }

  @_noLocks
  static func removeThread(from number: Int) {
    state.pointee.threads.subtract(1, ordering: .relaxed)
    heap(number).state.pointee.threads.subtract(1, ordering: .relaxed)
  }

  /// Lets the limits of a thread's bins grow by `bytes`, unless all have grown enough. Returns whether they may.
  @_noLocks
  static func mayGrow(by bytes: Int) -> Bool {
    if growth + bytes > mostGrowth { return false }
    state.pointee.growth.add(bytes, ordering: .relaxed)
    return true
  }

  static var growth: Int { @_noLocks get { state.pointee.growth.load(ordering: .relaxed) } }

  static var mostGrowth: Int { @_noLocks get { growthPerHeap * count } }

  /// Takes note that limits have shrunk by `bytes`.
  @_noLocks
  static func noteShrunk(by bytes: Int) { state.pointee.growth.subtract(bytes, ordering: .relaxed) }

  // MARK: All heaps

  /// Gives pages in which no block is used to the system, of at most `most` chunks from `address` on. With `all`, also of spans
  /// that have only just changed. Returns where to go on, 0 at the end, and whether there may be more to give back soon.
  @_noLocks
  static func purge(from address: UInt, chunks most: Int, all: Bool) -> (next: UInt, isBusy: Bool) {
    PageHeap.beginWalk()
    defer { PageHeap.endWalk() }
    var (next, left, isBusy) = (address, most, false)
    while left > 0, let chunk = AddressMap.nextChunk(next) {
      var (number, purgedPages) = (1, 0)
      while number <= last {
        if heap(number).purge(chunk, all: all, &purgedPages) { isBusy = true }
        number += 1
      }
      if nest_has_huge_pages() != 0, !all, !chunk.isOfClasses {
        chunk.reconsiderPageSize(unused: purgedPages + PageHeap.shared.freePageCount(of: chunk))
      }
      next = chunk.end
      left -= 1
    }
    return (left > 0 ? 0 : next, isBusy)
  }

  /// Takes in what threads have released to heaps that somebody else used just then, and gives back the lists that are kept for
  /// nobody. For the helper. Returns whether there are lists that have not been there for long.
  @_noLocks
  static func collectRemoteFrees() -> Bool {
    var (number, areListsLeft) = (1, false)
    while number <= last {
      let heap = heap(number)
      number += 1
      if heap.giveListsBack(all: false) { areListsLeft = true }
      if !heap.lock.tryLock() { continue }
      heap.initialize()
      heap.collectRemoteFrees()
      heap.unlock()
    }
    return areListsLeft
  }

  /// Gives the page heap all spans that are empty, and will be when the lists that heaps keep have gone back.
  @_noLocks
  static func releaseEmptySpans() {
    var number = 1
    // First all lists: there are blocks of the one heap in those of the other.
    while number <= last {
      _ = heap(number).giveListsBack(all: true)
      number += 1
    }
    number = 1
    while number <= last {
      heap(number).releaseEmptySpans()
      number += 1
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// A thread's cache: the blocks that the thread has at hand.
//
//     bin(1…80)          per class, blocks at hand: the fast paths touch nothing else
//     reserve(1…80)      per class, as many again
//     batches            lists of blocks on their way to heaps, one for each
//     binOffsets         for a size in units of 16 bytes, where its bin is
//
// Only the thread touches it. A bin begins small and grows where the thread both runs out and overflows; how much all bins
// of all threads grow is limited, so that a thousand threads keep no more than a few. What lies there untouched goes back
// to its spans. A cache is one page of memory, from the thread's first block to its end.

@usableFromInline
struct ThreadCache {
  struct State: ~Copyable {
    /// The number of the heap that the thread takes from.
    var heap: Int
    /// Bytes that a bin holds at first. Blocks larger than that wait in no bin until its limit has grown.
    var firstBytes: Int
    /// Bytes by which the limits of bins have grown.
    var growth: Int
    /// Spans that may still be made for the thread until blocks at hand that are not in use go back.
    var spansToScavenge: Int
    /// Neighbours in the list of all caches.
    var next: ThreadCache?
    var previous: ThreadCache?
    /// The thread's quarantine, if it has one.
    var quarantine: UnsafeMutableRawPointer?
  }

  /// A list of blocks for a heap.
  struct Batch {
    var first: FreeBlock
    var last: FreeBlock
    /// The heap's number, 0 for none.
    var owner: Int
  }

  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable @inline(__always) @_noLocks
  init(base: UnsafeMutableRawPointer) { self.base = base }

  /// The calling thread's cache; one without blocks where it has none yet.
  @inlinable @inline(__always)
  static var current: ThreadCache { @_noLocks get { ThreadCache(base: nest_cache()) } }

  /// Whether this is the cache without blocks.
  @inlinable @inline(__always)
  var isNone: Bool { @_noLocks get { base == nest_no_cache() } }

  /// The bin that lies `offset` bytes behind the start of the cache.
  @inlinable @inline(__always) @_noLocks
  func bin(offset: Int) -> CacheBin { CacheBin((base + offset).assumingMemoryBound(to: CacheBin.State.self)) }

  @_noLocks
  func bin(_ index: Int) -> CacheBin { bin(offset: index * CacheBin.stride) }

  /// The bin of `size` bytes at a multiple of `align`, which are in the table.
  @inlinable @inline(__always) @_noLocks
  func bin(size: Int, align: Int) -> CacheBin { bin(offset: binOffset(size: size, align: align)) }

  /// Bytes from the start of the cache to that bin.
  @inlinable @inline(__always) @_noLocks
  func binOffset(size: Int, align: Int) -> Int {
    let sixteenths = Int(bitPattern: SizeClass.sixteenths(size: size, align: align))
    return Int((base + ThreadCache.binOffsetsOffset).assumingMemoryBound(to: UInt16.self)[sixteenths])
  }

  // A table of the thread's own, whose address need not be computed, and of offsets, which need not be multiplied: two of
  // malloc's instructions. That of the cache without blocks leads to bin 0 for all sizes.
  @inlinable @inline(__always) static var binOffsetsOffset: Int { @_noLocks get { 2944 } }

  // Bytes. The cache without blocks has bins, which are empty, and zeros.
  private static var reservesOffset: Int { @_noLocks get { 1296 } }
  private static var stateOffset: Int { @_noLocks get { 2592 } }
  private static var batchesOffset: Int { @_noLocks get { 2688 } }

  /// Bytes that a bin holds at first: of few threads, and of one that begins when there are many.
  private static var firstBytes: Int { @_noLocks get { 8 << 10 } }
  private static var firstBytesOfMany: Int { @_noLocks get { 1 << 10 } }
  private static var batchCount: Int { @_noLocks get { 8 } }
  /// Spans that are made for the thread, after which blocks that nobody uses go back.
  private static var scavengeInterval: Int { @_noLocks get { 12 } }
  /// Bytes by which the limits of a thread's bins grow in all.
  private static var growthLimit: Int { @_noLocks get { 320 << 10 } }
  /// Bytes and blocks to which the limit of one bin grows.
  private static var mostBytes: Int { @_noLocks get { 64 << 10 } }
  private static var mostBlocks: Int { @_noLocks get { 1024 } }

  var reserves: UnsafeMutablePointer<CacheBin.Reserve> {
    @_noLocks get { (base + ThreadCache.reservesOffset).assumingMemoryBound(to: CacheBin.Reserve.self) }
  }

  var state: UnsafeMutablePointer<State> {
    @_noLocks get { (base + ThreadCache.stateOffset).assumingMemoryBound(to: State.self) }
  }

  /// Indexed by a size in units of 16 bytes, up to the largest in the table.
  var binOffsets: UnsafeMutablePointer<UInt16> {
    @_noLocks get { (base + ThreadCache.binOffsetsOffset).assumingMemoryBound(to: UInt16.self) }
  }

  private var batches: UnsafeMutablePointer<Batch> {
    @_noLocks get { (base + ThreadCache.batchesOffset).assumingMemoryBound(to: Batch.self) }
  }

  /// Makes a cache of whatever memory.
  @_noLocks
  func initialize() {
    state.pointee.firstBytes = Heaps.isCrowded ? ThreadCache.firstBytesOfMany : ThreadCache.firstBytes
    for index in 0...SizeClass.last {
      bin(index).state.pointee = CacheBin.State(limit: firstLimit(index))
      reserves[index] = CacheBin.Reserve(FreeBlock.none, count: 0)
    }
    for index in 0..<ThreadCache.batchCount { batches[index].owner = 0 }
    for index in 0...(SizeClass.largestInTable / 16) {
      binOffsets[index] = UInt16(truncatingIfNeeded: nest_class(UInt(index)) * CacheBin.stride)
    }
    state.pointee.heap = 1
    state.pointee.growth = 0
    state.pointee.spansToScavenge = ThreadCache.scavengeInterval
    state.pointee.next = nil
    state.pointee.previous = nil
    state.pointee.quarantine = nil
  }

  /// Blocks that a bin may hold at first. Bin 0 is of no class, and holds none.
  private func firstLimit(_ index: Int) -> Int16 {
    index == 0 ? 0 : Int16(truncatingIfNeeded: min(32, state.pointee.firstBytes / SizeClass.blockSize(index)))
  }

  // MARK: The life of a thread

  /// Makes a cache for the calling thread. Nil when memory is exhausted.
  @_noLocks
  static func make() -> ThreadCache? {
    guard let (run, _) = Pages.allocate(count: 1, align: 1, mayMap: true) else { return nil }
    nest_initialize()
    run.chunk.span(page: run.first).initialize(state: .cache, pageCount: 1)
    let cache = ThreadCache(base: run.start)
    cache.initialize()
    cache.state.pointee.heap = Heaps.addThread()
    ThreadCaches.shared.add(cache)
    nest_set_cache(cache.base)
    nest_watch_thread()
    return cache
  }

  /// Gives all blocks of the calling thread's cache back, and the cache itself.
  @_noLocks
  func destroy() {
    nest_set_cache(nest_no_cache())
    releaseAll()
    ThreadCaches.shared.remove(self)
    Heaps.removeThread(from: state.pointee.heap)
    Span(containing: UInt(bitPattern: base)).releasePages()
  }

  /// Gives all blocks at hand back to their spans.
  @_noLocks
  func releaseAll() {
    for index in 1...SizeClass.last { empty(index) }
  }

  // MARK: Taking blocks

  /// A block of class `index`, of which the bin has none; nil when memory is exhausted. Fills the bin.
  @_noLocks
  func allocateSlowly(_ index: Int) -> UnsafeMutableRawPointer? { allocateSlowly(index, isMarked: false) }

  /// The same, and the block is one on its way: see ``FreeBlock/mark()``.
  @_noLocks
  func allocateMarkedSlowly(_ index: Int) -> UnsafeMutableRawPointer? { allocateSlowly(index, isMarked: true) }

  @inline(__always) @_noLocks
  private func allocateSlowly(_ index: Int, isMarked: Bool) -> UnsafeMutableRawPointer? {
    let bin = bin(index)
    let reserve = reserves[index]
    if reserve.count > 0 {
      bin.set(reserve.first, count: Int32(reserve.count))
      reserves[index] = CacheBin.Reserve(FreeBlock.none, count: 0)
      return takeChecked(bin, isMarked: isMarked)
    }
    let most = Heaps.isCrowded ? max(Int(bin.state.pointee.limit) / 4, 1) : Int.max
    guard let taken = Heaps.take(index, most: most, from: state.pointee.heap) else { return nil }
    var (first, count) = (taken.first, taken.count)
    if nest_hardening() & UInt32(NEST_SHUFFLES) != 0 { addChoice(index, &first, &count) }
    bin.set(first, count: Int32(truncatingIfNeeded: count))
    bin.state.pointee.wasFilled = true
    let block = takeChecked(bin, isMarked: isMarked)
    if taken.isNew {
      state.pointee.spansToScavenge -= 1
      if state.pointee.spansToScavenge <= 0 { scavenge() }
    }
    return block
  }

  @inline(__always) @_noLocks
  private func takeChecked(_ bin: CacheBin, isMarked: Bool) -> UnsafeMutableRawPointer {
    bin.first.checkSignature()
    return isMarked ? bin.takeMarked() : bin.take()
  }

  /// Gives back what has been at hand, untouched, since the last time: it may keep whole spans from other uses.
  private func scavenge() {
    state.pointee.spansToScavenge = ThreadCache.scavengeInterval
    for index in 1...SizeClass.last {
      let bin = bin(index)
      let reserve = reserves + index
      let count = Int16(truncatingIfNeeded: bin.count)
      if count == reserve.pointee.binCountThen {
        empty(index)
      } else {
        if reserve.pointee.isOld {
          release(reserve.pointee.first, index)
          reserve.pointee = CacheBin.Reserve(FreeBlock.none, count: 0)
        }
        reserve.pointee.isOld = reserve.pointee.count > 0
        reserve.pointee.binCountThen = count > 0 ? count : -1
      }
    }
  }

  /// Gives all blocks of class `index` that are at hand back, and lets the bin begin anew.
  private func empty(_ index: Int) {
    let bin = bin(index)
    let (first, reserve) = (bin.first, reserves[index].first)
    let limit = firstLimit(index)
    let grown = Int(bin.state.pointee.limit - limit) * SizeClass.blockSize(index)
    if grown > 0 {
      state.pointee.growth -= grown
      Heaps.noteShrunk(by: grown)
    }
    reserves[index] = CacheBin.Reserve(FreeBlock.none, count: 0)
    bin.state.pointee = CacheBin.State(limit: limit)
    release(first, index)
    release(reserve, index)
  }

  // MARK: Getting blocks back

  /// Releases a block of class `index`, where the bin has no room.
  @_noLocks
  func releaseSlowly(_ block: FreeBlock, _ index: Int) {
    let bin = bin(index)
    if reserves[index].count > 0 || bin.state.pointee.limit == 0, !grow(bin, index) {
      if bin.state.pointee.limit == 0 { return Heaps.release(block) }
      let reserve = reserves[index]
      reserves[index] = CacheBin.Reserve(FreeBlock.none, count: 0)
      release(reserve.first, index, count: Int(reserve.count))
    }
    if !bin.hasRoom, Heaps.isCrowded {
      // So many threads have one bin each, and no reserve: what lies there keeps a page for each of its blocks.
      let (first, count) = (bin.first, bin.count)
      bin.set(FreeBlock.none, count: 0)
      release(first, index, count: Int(count))
    } else if !bin.hasRoom {
      reserves[index] = CacheBin.Reserve(bin.first, count: bin.count)
      bin.set(FreeBlock.none, count: 0)
    }
    bin.put(block)
  }

  /// Doubles what a bin may hold, if the thread and the process have so much growth left. Returns whether the bin has room now.
  private func grow(_ bin: CacheBin, _ index: Int) -> Bool {
    let limit = Int(bin.state.pointee.limit)
    let more = max(limit, 1)
    let bytes = more * SizeClass.blockSize(index)
    guard bin.state.pointee.wasFilled, limit + more <= ThreadCache.mostBlocks,
      (limit + more) * SizeClass.blockSize(index) <= ThreadCache.mostBytes,
      state.pointee.growth + bytes <= ThreadCache.growthLimit, Heaps.mayGrow(by: bytes)
    else { return false }
    state.pointee.growth += bytes
    bin.state.pointee.wasFilled = false
    bin.state.pointee.limit += Int16(truncatingIfNeeded: more)
    bin.state.pointee.room += Int32(truncatingIfNeeded: more)
    return bin.hasRoom
  }

  /// Releases a list of blocks of class `index`, of whichever spans: into the spans of the thread's own heap, if nobody else has its lock, and
  /// as lists for the other heaps. With a `count` the heap may keep it as it is.
  private func release(_ list: FreeBlock, _ index: Int, count: Int = 0) {
    if list.isNone { return }
    let (number, heap) = (state.pointee.heap, Heaps.heap(state.pointee.heap))
    let isLocked = heap.lock.tryLock()
    if isLocked {
      heap.initialize()
      if count > 0, heap.keep(list, count: count, index) {
        heap.unlock()
        nest_wake_helper()
        return
      }
    }
    var (remainder, returned) = (list, Int32(0))
    while !remainder.isNone {
      let part = SpanBlocks(firstOf: remainder)
      remainder = part.next
      if isLocked, part.span.owner == number {
        heap.put(part)
        returned &+= Int32(truncatingIfNeeded: part.count)
      } else if part.span.owner != 0 {
        add(part)
      } else {
        SampledBlocks.release(part)
      }
    }
    if isLocked {
      heap.counts[index].used -= returned
      heap.unlock()
    }
    for index in 0..<ThreadCache.batchCount { send(index) }
    nest_wake_helper()
  }

  private func add(_ part: SpanBlocks) {
    let owner = part.span.owner
    let index = owner & (ThreadCache.batchCount - 1)
    let batch = batches + index
    if batch.pointee.owner == owner {
      part.last.link(to: batch.pointee.first)
      batch.pointee.first = part.first
    } else {
      send(index)
      part.last.link(to: FreeBlock.none)
      batch.pointee = Batch(first: part.first, last: part.last, owner: owner)
    }
  }

  private func send(_ index: Int) {
    let batch = batches[index]
    guard batch.owner != 0 else { return }
    batches[index].owner = 0
    Heaps.heap(batch.owner).push(batch.first, batch.last)
  }
}

/// The list of all threads' caches, for who counts what is in them.
struct ThreadCaches {
  private let state: UnsafeMutablePointer<ThreadCache?>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: ThreadCache?.self) }

  static var shared: ThreadCaches { @_noLocks get { ThreadCaches(nest_heap_table() + 48) } }

  var lock: Lock { @_noLocks get { Lock(nest_lock(NEST_THREAD_CACHES_LOCK)) } }

  var first: ThreadCache? { @_noLocks get { state.pointee } }

  @_noLocks
  func add(_ cache: ThreadCache) {
    lock.lock()
    let next = state.pointee
    cache.state.pointee.next = next
    next?.state.pointee.previous = cache
    state.pointee = cache
    lock.unlock()
  }

  @_noLocks
  func remove(_ cache: ThreadCache) {
    lock.lock()
    let (next, previous) = (cache.state.pointee.next, cache.state.pointee.previous)
    next?.state.pointee.previous = previous
    if let previous { previous.state.pointee.next = next } else { state.pointee = next }
    lock.unlock()
  }

  /// Makes the list one that can be walked backward, after a change that was not ended.
  @_noLocks
  func relink() {
    var previous: ThreadCache?
    var candidate = state.pointee
    while let cache = candidate {
      cache.state.pointee.previous = previous
      previous = cache
      candidate = cache.state.pointee.next
    }
  }
}

extension ThreadCache {
  /// Stops the process where an invariant does not hold.
  func checkInvariants() {
    let endOfBatches = ThreadCache.batchesOffset + MemoryLayout<Batch>.stride * ThreadCache.batchCount
    let endOfTable = ThreadCache.binOffsetsOffset + 2 * (SizeClass.largestInTable / 16 + 1)
    precondition(ThreadCache.stateOffset + MemoryLayout<State>.size <= ThreadCache.batchesOffset)
    precondition(endOfBatches <= ThreadCache.binOffsetsOffset && endOfTable <= Chunk.pageSize)
    for index in 1...SizeClass.last {
      precondition(
        CacheBin.stride == MemoryLayout<CacheBin.State>.stride
          && SizeClass.index(size: SizeClass.blockSize(index)) == index)
      checkTable(index)
      let bin = bin(index)
      precondition(checkBlocks(bin.first, ofClass: index) == bin.count)
      precondition(checkBlocks(reserves[index].first, ofClass: index) == Int32(reserves[index].count))
    }
    precondition(bin(0).first.isNone && !bin(0).hasRoom)
    for index in 0..<ThreadCache.batchCount { precondition(batches[index].owner == 0) }
  }

  /// The table says what the computation says, of all sizes of a class.
  private func checkTable(_ index: Int) {
    var size = SizeClass.blockSize(index)
    while size > SizeClass.blockSize(index - 1), size <= Int(NEST_CLASS_TABLE_END) {
      precondition(nest_class(UInt(size) / 16) == index && SizeClass.index(size: size) == index)
      size -= 16
    }
    // What Chunk.Entry.hasBlock(at:) rests on.
    let block = SizeClass.blockSize(index)
    let reciprocal = ((1 << 32) + block - 1) / block
    let capacity = SizeClass.pageCount(index) * Chunk.pageSize / block
    precondition(reciprocal >= 1 << 16 && capacity * (reciprocal * block - (1 << 32)) < 1 << 16)
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

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import AllocatorABI
public import CAllocatorSupport
import CNestSupport

extension Nest: StatisticsReporting {
  /// The numbers of all threads, exact while no other thread allocates or releases. What is counted for them is counted where
  /// many blocks change hands at once, never for a block.
  ///
  /// Costs a microsecond for each processor and for each thread, however large the heap is; each heap's lock is taken once. See
  /// `StatisticsReporting.statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics { NestTotals.readStatistics() }

  /// See `StatisticsReporting.readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    NestTotals.readSizeClasses(into: classes, capacity: capacity)
  }
}

/// What all heaps and caches have. The sums lie in memory of the caller's: one for all, then one for each class.
@usableFromInline
struct NestTotals {
  struct Sums {
    var caches = 0
    /// Bytes of pages with carved blocks; and those of them in spans of which no block is used.
    var touchedBytes = 0
    var emptyBytes = 0
  }

  /// Of one class.
  struct ClassSums {
    var live = 0
    var carved = 0
    var spanBytes = 0
  }

  private let base: UnsafeMutableRawPointer

  @_noLocks
  init(_ base: UnsafeMutableRawPointer) { self.base = base }

  var sums: UnsafeMutablePointer<Sums> { @_noLocks get { base.assumingMemoryBound(to: Sums.self) } }

  /// Indexed by class.
  var classes: UnsafeMutablePointer<ClassSums> {
    @_noLocks get { (base + 64).assumingMemoryBound(to: ClassSums.self) }
  }

  // MARK: Adding up

  @_noLocks
  func addAll() {
    var number = 1
    while number <= Heaps.last {
      add(Heaps.heap(number))
      number += 1
    }
    ThreadCaches.shared.lock.lock()
    var candidate = ThreadCaches.shared.first
    while let cache = candidate {
      subtractBlocksAtHand(cache)
      candidate = cache.state.pointee.next
    }
    ThreadCaches.shared.lock.unlock()
  }

  @_noLocks
  private func add(_ heap: ProcessorHeap) {
    heap.lock.lock()
    heap.initialize()
    heap.collectRemoteFrees()
    sums.pointee.touchedBytes += heap.state.pointee.touchedBytes
    sums.pointee.emptyBytes += heap.state.pointee.emptyBytes
    var index = 1
    while index <= SizeClass.last {
      let counts = heap.counts + index
      let sum = classes + index
      sum.pointee.live += Int(counts.pointee.used)
      sum.pointee.carved += Int(counts.pointee.carved)
      sum.pointee.spanBytes += Int(counts.pointee.spans) * (SizeClass.pageCount(index) << Chunk.pageShift)
      index += 1
    }
    // For their spans, blocks in lists are used.
    heap.transfer.forEachList { (classes + $0).pointee.live -= $2 }
    let spareBytes = heap.state.pointee.sparePages << Chunk.pageShift
    sums.pointee.touchedBytes += spareBytes
    sums.pointee.emptyBytes += spareBytes
    heap.unlock()
  }

  /// For their spans, blocks that a thread has at hand are used.
  @_noLocks
  private func subtractBlocksAtHand(_ cache: ThreadCache) {
    sums.pointee.caches += 1
    let quarantine = cache.state.pointee.quarantine.map { Quarantine($0) }
    if quarantine != nil { sums.pointee.caches += 1 }
    var index = 1
    while index <= SizeClass.last {
      (classes + index).pointee.live -= Int(cache.bin(index).count) + Int(cache.reserves[index].count)
      index += 1
    }
    quarantine?.subtractBlocks { (classes + $0).pointee.live -= 1 }
  }

  // MARK: The results

  @usableFromInline @inline(never) @_noLocks
  static func readStatistics() -> AllocatorStatistics {
    // Safety: room for the sums, as 64 bytes and 81 records of 24.
    var storage = nest_totals()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      let totals = NestTotals(UnsafeMutableRawPointer(pointer))
      totals.addAll()
      return totals.statistics
    }
  }

  @usableFromInline @inline(never) @_noLocks
  static func readSizeClasses(into target: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    var storage = nest_totals()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      let totals = NestTotals(UnsafeMutableRawPointer(pointer))
      totals.addAll()
      var index = 1
      while index <= SizeClass.last, index <= capacity {
        let sum = totals.classes[index]
        target[index - 1] = allocator_size_class(
          block_size: Int64(SizeClass.blockSize(index)), live_blocks: Int64(sum.live),
          free_blocks: Int64(sum.carved - sum.live), span_bytes: Int64(sum.spanBytes))
        index += 1
      }
      return index - 1
    }
  }

  private var statistics: AllocatorStatistics {
    @_noLocks get {
      let huge = HugeBlocks.shared.totals
      var pages = PageHeap.shared.totals
      let others = PageHeap.ofClasses.totals
      pages.chunks += others.chunks
      pages.mappedBytes += others.mappedBytes
      pages.dirtyBytes += others.dirtyBytes
      let large = LargeBlocks.shared.sums
      var live = large.pages << Chunk.pageShift + huge.liveBytes
      let active = live + sums.pointee.touchedBytes - sums.pointee.emptyBytes
      var blocks = large.blocks + huge.count
      var free = pages.dirtyBytes + huge.releasedBytes
      var index = 1
      while index <= SizeClass.last {
        let sum = classes[index]
        let size = SizeClass.blockSize(index)
        live += sum.live * size
        free += (sum.carved - sum.live) * size
        blocks += sum.live
        index += 1
      }
      let metadata = (pages.chunks * Chunk.firstPage + sums.pointee.caches) << Chunk.pageShift + huge.metadataBytes
      let releasable = pages.dirtyBytes + huge.releasedBytes + sums.pointee.emptyBytes
      var statistics = AllocatorStatistics()
      statistics.liveBytes = live
      statistics.activeBytes = active
      statistics.metadataBytes = metadata
      statistics.residentBytes = active + releasable + metadata
      statistics.mappedBytes = pages.mappedBytes + huge.liveBytes + huge.releasedBytes + huge.metadataBytes
      statistics.freeBytes = free
      statistics.releasableBytes = releasable
      statistics.liveBlocks = blocks
      return statistics
    }
  }
}

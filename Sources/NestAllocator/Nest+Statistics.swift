// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import AllocatorABI
public import CAllocatorSupport
import CNestSupport
import Synchronization

extension Nest: StatisticsReporting {
  /// The numbers of all threads, exact while no other thread allocates or releases. Nothing is counted for them on the way:
  /// they are read from the records of all spans, and from what each thread has at hand.
  ///
  /// Costs a few nanoseconds for each span, a few µs for each thread that there has been at once, and two system calls; the
  /// page heap's lock is taken once for each 4 MiB. See `StatisticsReporting.statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics { NestTotals.readStatistics() }

  /// See `StatisticsReporting.readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    NestTotals.readSizeClasses(into: classes, capacity: capacity)
  }
}

/// What a walk over all chunks adds up. The sums lie in memory of the caller's: one for all, then three for each class.
@usableFromInline
struct NestTotals {
  struct Sums {
    var heaps = 0
    var largeBlocks = 0
    var largeBytes = 0
    /// Bytes of spans of blocks without a block that is out.
    var emptySpanBytes = 0
    /// Chunks, and bytes that are mapped of them.
    var chunks = 0
    var chunkBytes = 0
  }

  /// Of one class.
  struct ClassSums {
    /// Blocks that have left their spans, and are live or at hand.
    var out = 0
    var carved = 0
    var spanBytes = 0
    var activeBytes = 0
  }

  private let base: UnsafeMutableRawPointer

  @_noLocks
  init(_ base: UnsafeMutableRawPointer) { self.base = base }

  var sums: UnsafeMutablePointer<Sums> { @_noLocks get { base.assumingMemoryBound(to: Sums.self) } }

  /// Indexed by class.
  var classes: UnsafeMutablePointer<ClassSums> {
    @_noLocks get { (base + 64).assumingMemoryBound(to: ClassSums.self) }
  }

  // MARK: The walk

  /// Adds what all chunks hold.
  @_noLocks
  func addChunks() {
    var candidate = AddressMap.nextChunk(0)
    while let chunk = candidate {
      add(chunk)
      candidate = AddressMap.nextChunk(chunk.end)
    }
  }

  /// Adds what a chunk holds, if it is one still.
  @_noLocks
  private func add(_ chunk: Chunk) {
    PageHeap.shared.lock.lock()
    defer { PageHeap.shared.lock.unlock() }
    guard AddressMap.isInChunk(UInt(bitPattern: chunk.base)) else { return }
    let end = chunk.mappedCount
    sums.pointee.chunks += 1
    sums.pointee.chunkBytes += end << Chunk.pageShift
    var page = Chunk.firstPage
    while page < end {
      if chunk.free.contains(page) {
        page += 1
        continue
      }
      let span = chunk.span(page: page)
      let pages = Int(span.record.pointee.pageCount)
      switch span.record.pointee.state {
      case .free:
        // Between two states, in another thread's hands.
        page += 1
        continue
      case .blocks: add(span)
      case .large:
        sums.pointee.largeBlocks += 1
        sums.pointee.largeBytes += pages << Chunk.pageShift
      case .heap:
        sums.pointee.heaps += 1
        subtractBlocksAtHand(ThreadHeap(base: span.start))
      }
      page += pages > 1 ? pages : 1
    }
  }

  @_noLocks
  private func add(_ span: Span) {
    let index = span.sizeClass
    guard index > 0, index <= SizeClass.last else { return }
    let out = Int(span.record.pointee.blocksOut)
    let carved = Int(span.record.pointee.carved)
    let bytes = span.byteCount
    let touched = (carved * SizeClass.blockSize(index) + Chunk.pageSize - 1) & -Chunk.pageSize
    let sum = classes + index
    sum.pointee.out += out
    sum.pointee.carved += carved
    sum.pointee.spanBytes += bytes
    if out > 0 { sum.pointee.activeBytes += touched } else { sums.pointee.emptySpanBytes += touched }
  }

  /// For their spans, blocks that a thread has at hand are out.
  @_noLocks
  private func subtractBlocksAtHand(_ heap: ThreadHeap) {
    var index = 1
    while index <= SizeClass.last {
      let count = Int(heap.bin(index).count) + Int(heap.reserves[index].count)
      // A heap that is only just being made says anything.
      if count > 0, count < 1 << 16 { (classes + index).pointee.out -= count }
      index += 1
    }
    var block = FreeBlock(heap.firstInInbox)
    var left = 1 << 20
    // Its thread may take the list meanwhile: what is read then is in a chunk still, but not signed, and ends the walk.
    while !block.isNone, left > 0, AddressMap.isInChunk(block.address) {
      let entry = Chunk(containing: block.address).entry(page: Chunk.page(of: block.address)).pointee
      guard entry.hasBlock(at: block.address), block.isSigned else { return }
      (classes + entry.sizeClass).pointee.out -= 1
      block = block.next
      left -= 1
    }
  }

  // MARK: The results

  @usableFromInline @inline(never) @_noLocks
  static func readStatistics() -> AllocatorStatistics {
    // Safety: room for the sums, as 64 bytes and 81 records of 32.
    var storage = nest_totals()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      let totals = NestTotals(UnsafeMutableRawPointer(pointer))
      totals.addChunks()
      return totals.statistics
    }
  }

  @usableFromInline @inline(never) @_noLocks
  static func readSizeClasses(into target: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    var storage = nest_totals()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      let totals = NestTotals(UnsafeMutableRawPointer(pointer))
      totals.addChunks()
      var index = 1
      while index <= SizeClass.last, index <= capacity {
        let sum = totals.classes[index]
        target[index - 1] = allocator_size_class(
          block_size: Int64(SizeClass.blockSize(index)), live_blocks: Int64(sum.out),
          free_blocks: Int64(sum.carved - sum.out), span_bytes: Int64(sum.spanBytes))
        index += 1
      }
      return index - 1
    }
  }

  private var statistics: AllocatorStatistics {
    @_noLocks get {
      let huge = HugeBlocks.shared.totals
      let dirty = PageHeap.shared.dirtyBytes
      var live = sums.pointee.largeBytes + huge.liveBytes
      var active = live
      var blocks = sums.pointee.largeBlocks + huge.count
      var free = dirty + huge.releasedBytes
      var index = 1
      while index <= SizeClass.last {
        let sum = classes[index]
        let size = SizeClass.blockSize(index)
        live += sum.out * size
        free += (sum.carved - sum.out) * size
        blocks += sum.out
        active += sum.activeBytes
        index += 1
      }
      let metadata =
        (sums.pointee.chunks * Chunk.firstPage + sums.pointee.heaps) << Chunk.pageShift
        + huge.metadataBytes
      var statistics = AllocatorStatistics()
      statistics.liveBytes = live
      statistics.activeBytes = active
      statistics.metadataBytes = metadata
      statistics.residentBytes = active + sums.pointee.emptySpanBytes + dirty + huge.releasedBytes + metadata
      statistics.mappedBytes =
        sums.pointee.chunkBytes + huge.liveBytes + huge.releasedBytes + huge.metadataBytes
      statistics.freeBytes = free
      statistics.releasableBytes = dirty + huge.releasedBytes
      statistics.liveBlocks = blocks
      return statistics
    }
  }
}

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
    /// Bytes of the chunks' own first slots.
    var chunks = 0
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

  /// Adds what a chunk holds, if it is one still.
  @_noLocks
  func add(chunkAt address: UInt) {
    PageHeap.shared.lock.lock()
    defer { PageHeap.shared.lock.unlock() }
    guard nest_is_in_chunk(address) != 0 else { return }
    let chunk = Chunk(containing: address)
    sums.pointee.chunks += 1
    var slot = Chunk.firstSlot
    while slot < Chunk.slotCount {
      if chunk.freeSlots[slot >> 6] >> UInt64(slot & 63) & 1 != 0 {
        slot += 1
        continue
      }
      let span = chunk.span(slot: slot)
      let slots = Int(span.record.pointee.slotCount)
      switch span.record.pointee.state {
      case .free:
        // Between two states, in another thread's hands.
        slot += 1
        continue
      case .blocks: add(span)
      case .large:
        sums.pointee.largeBlocks += 1
        sums.pointee.largeBytes += slots << Chunk.slotShift
      case .heap:
        sums.pointee.heaps += 1
        subtractBlocksAtHand(ThreadHeap(base: span.start))
      }
      slot += slots > 1 ? slots : 1
    }
  }

  @_noLocks
  private func add(_ span: Span) {
    let index = span.sizeClass
    guard index > 0, index <= SizeClass.last else { return }
    let out = Int(span.record.pointee.blocksOut)
    let carved = Int(span.record.pointee.carved)
    let bytes = span.byteCount
    let touched = (carved * SizeClass.blockSize(index) + Chunk.slotSize - 1) & -Chunk.slotSize
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
    while !block.isNone, left > 0, nest_is_in_chunk(block.address) != 0 {
      let entry = Chunk(containing: block.address).entry(slot: Chunk.slot(of: block.address)).pointee
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
      nest_visit_chunks(pointer, PageHeap.shared.chunkCountWithoutLock)
      return totals.statistics
    }
  }

  @usableFromInline @inline(never) @_noLocks
  static func readSizeClasses(into target: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    var storage = nest_totals()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      let totals = NestTotals(UnsafeMutableRawPointer(pointer))
      nest_visit_chunks(pointer, PageHeap.shared.chunkCountWithoutLock)
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
      let mappings = Mappings.shared.totals
      let dirty = PageHeap.shared.dirtyBytes
      var live = sums.pointee.largeBytes + mappings.liveBytes
      var active = live
      var blocks = sums.pointee.largeBlocks + mappings.count
      var free = dirty + mappings.releasedBytes
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
        (sums.pointee.chunks * Chunk.firstSlot + sums.pointee.heaps) << Chunk.slotShift
        + mappings.tableBytes
      var statistics = AllocatorStatistics()
      statistics.liveBytes = live
      statistics.activeBytes = active
      statistics.metadataBytes = metadata
      statistics.residentBytes = active + sums.pointee.emptySpanBytes + dirty + mappings.releasedBytes + metadata
      statistics.mappedBytes =
        sums.pointee.chunks * Chunk.size + mappings.liveBytes + mappings.releasedBytes + mappings.tableBytes
      statistics.freeBytes = free
      statistics.releasableBytes = dirty + mappings.releasedBytes
      statistics.liveBlocks = blocks
      return statistics
    }
  }
}

/// Adds what a chunk holds to the sums: what `nest_visit_chunks` calls.
@_noLocks
@_cdecl("nest_add_chunk")
func addChunk(_ totals: UnsafeMutableRawPointer, _ address: UInt) {
  NestTotals(totals).add(chunkAt: address)
}

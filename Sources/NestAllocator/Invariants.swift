// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The invariants of the structures, as code that tests run.

extension NestAllocator {
  /// Chunks that are mapped, 4 MiB each.
  package static var chunkCount: Int { PageHeap.shared.chunkCount + PageHeap.ofClasses.chunkCount }

  /// Bytes of free pages that have been written since they came from the system.
  package static var dirtyByteCount: Int { PageHeap.shared.dirtyByteCount + PageHeap.ofClasses.totals.dirtyBytes }

  /// Ranges that the system would not take back.
  package static var unreturnedRangeCount: Int { UnreturnedRanges.shared.count }

  /// Page runs that the system would not make usable again.
  package static var untouchableRunCount: Int { UntouchablePages.shared.count }

  /// How often a child of fork has had to mend what its parent's other threads held, from the first process on.
  package static var mendedLockCount: Int { Int(nest_mended_locks()) }

  /// Sends all blocks that the calling thread has at hand back to their spans, and gives up the empty ones.
  package static func releaseCaches() {
    releaseThreadCache()
    Heaps.releaseEmptySpans()
  }

  /// Sends all blocks that the calling thread has at hand back to their spans.
  package static func releaseThreadCache() {
    Quarantine.current?.releaseAll()
    if !ThreadCache.current.isNone { ThreadCache.current.releaseAll() }
  }

  /// Threads that have a cache.
  package static var cacheCount: Int { Heaps.threadCount }

  /// Threads above which bins have no reserves, once there are heaps for all processors.
  package static var mostThreadsWithReserves: Int { 4 * min(Int(nest_processor_count()), Int(NEST_MOST_HEAPS)) }

  /// Blocks of the class of `size` in the calling thread's bin, and in the reserve behind it.
  package static func cachedBlocks(size: Int) -> (bin: Int, reserve: Int) {
    let (cache, index) = (ThreadCache.current, SizeClass.index(size: size))
    return cache.isNone ? (0, 0) : (Int(cache.bin(index).count), Int(cache.reserves[index].count))
  }

  /// Blocks of the class of `size` in the lists that heaps keep.
  package static func transferableBlocks(size: Int) -> Int {
    var sum = 0
    for number in 1...Heaps.last {
      let heap = Heaps.heap(number)
      heap.lock.lock()
      heap.transfer.forEachList { if $0 == SizeClass.index(size: size) { sum += $2 } }
      heap.lock.unlock()
    }
    return sum
  }

  /// Gives lists back that were there at the last look, as the helper does.
  package static func lookAtLists() { _ = Heaps.collectRemoteFrees() }

  /// Bytes by which the limits of all threads' bins have grown, and the most that they may.
  package static var cacheGrowth: (bytes: Int, most: Int) { (Heaps.growth, Heaps.mostGrowth) }

  #if DEBUG
    /// Has locks assert the order in which threads take them, from now on.
    package static func checkLockRanks() { nest_check_ranks() }

    /// Takes two locks in the wrong order.
    package static func takeLocksOutOfOrder() {
      HugeBlocks.shared.lock.lock()
      PageHeap.shared.lock.lock()
      PageHeap.shared.lock.unlock()
      HugeBlocks.shared.lock.unlock()
    }
  #endif

  /// Runs `body` while the calling thread holds the lock of its heap, as in a signal handler.
  package static func withHeapLocked(_ body: () -> Void) {
    let heap = Heaps.heap(ThreadCache.current.isNone ? 1 : ThreadCache.current.state.pointee.heap)
    heap.lock.lock()
    body()
    heap.lock.unlock()
  }

  /// Lets this process have a helper, which starts when it has a second thread.
  package static func allowHelper() { nest_allow_helper() }

  /// Lets hardened flavours rely on it that no other one is used in this process: to be called before the first block is made.
  package static func assumeOnlyHardened() { nest_assume_only_hardened() }

  /// Looks at the next blocks, as the helper of a hardened flavour does, or ends the process.
  package static func lookAtBlocks() { BackgroundWalk.look() }

  /// Whether this process has a helper.
  package static var hasHelper: Bool { nest_has_helper() != 0 }

  /// Has this system be one that gives huge pages to all memory, as far as Nest knows.
  package static func assumeHugePages() { nest_set_huge_pages(1) }

  /// Looks at all spans as the helper does, `times` times.
  package static func lookAtSpans(times: Int) {
    for _ in 0..<times { _ = Heaps.purge(from: 0, chunks: Int.max, all: false) }
  }

  /// How often a chunk has to be found full until it gets huge pages again.
  package static var fullLooksForHugePages: Int { Int(Chunk.fullLooksForHugePages) }

  /// Stops the process where an invariant of the calling thread's cache, of the heaps, of the page heap or of the mappings does not hold.
  package static func checkInvariants() {
    PageHeap.shared.checkInvariants()
    PageHeap.ofClasses.checkInvariants()
    HugeBlocks.shared.checkInvariants()
    for number in 1...Heaps.last { Heaps.heap(number).checkInvariants() }
    if !ThreadCache.current.isNone { ThreadCache.current.checkInvariants() }
    Hardening.checkTable()
  }
}

extension Span {
  /// Every block is used, free, in a purged page or uncarved.
  func checkInvariants() {
    checkPeekedOffsets()
    var free = 0
    var block = record.pointee.free
    while !block.isNone {
      let offset = block.address - UInt(bitPattern: start)
      precondition(block.isSigned && offset % UInt(blockSize) == 0 && offset < UInt(byteCount))
      free += 1
      precondition(free <= Int(record.pointee.carved))
      block = block.next
    }
    precondition(free == freeCount)
    precondition(record.pointee.carved <= record.pointee.capacity)
    for index in 0..<Int(record.pointee.capacity) {
      let address = UInt(bitPattern: start) + UInt(index * blockSize)
      let entry = chunk.entry(page: Chunk.page(of: address)).pointee
      let page = (index * blockSize) >> Chunk.pageShift
      let isPurged = page < 16 && record.pointee.purgedPages >> UInt16(page) & 1 != 0
      precondition(entry.hasBlock(at: address) == (index < Int(record.pointee.carved) && !isPurged))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// The invariants of the structures, as code that tests run.

extension NestAllocator {
  /// Chunks that are mapped, 4 MiB each.
  package static var chunkCount: Int { PageHeap.shared.chunkCount }

  /// Heaps that have been made, with a thread or without.
  package static var heapCount: Int { HeapPool.shared.heapCount }

  /// Stops the process where an invariant of the calling thread's heap, of the page heap or of the mappings does not hold.
  package static func checkInvariants() {
    PageHeap.shared.checkInvariants()
    Mappings.shared.checkInvariants()
    if !ThreadHeap.current.isNone { ThreadHeap.current.checkInvariants() }
  }
}

extension ThreadHeap {
  func checkInvariants() {
    var count = 0
    for index in 0..<SizeClass.count {
      var previous: Span?
      var candidate: Span? = available[index].isNone ? nil : available[index]
      while let span = candidate {
        let record = span.record
        precondition(span.owner == address && Int(record.pointee.sizeClass) == index && !span.isFull && span.hasBlocks)
        precondition(previous == nil || record.pointee.previous?.record == previous?.record)
        let isCurrent = previous == nil
        precondition(record.pointee.bias == (isCurrent && span.mayStayEmpty ? -1 : 0))
        precondition(record.pointee.used != 0 || isCurrent, "an empty span was kept")
        span.checkInvariants()
        count += 1
        previous = span
        candidate = record.pointee.next
      }
      let cache = cache(index).state
      var cached: Int32 = 0
      var block = cache.pointee.first
      while let free = block {
        precondition(free.isSigned && Int(Span(containing: free.address).record.pointee.sizeClass) == index)
        cached += 1
        block = free.next
      }
      precondition(cached == cache.pointee.count && cached <= cache.pointee.limit)
      precondition(index == SizeClass.index(size: SizeClass.blockSize(index)))
    }
    for entry in 0..<SizeClass.directCount {
      let cache = cache(SizeClass.index(size: max(entry * 16, 1)))
      precondition(direct[entry].state == cache.state, "the direct table does not lead to the cache")
    }
    var candidate: Span? = state.pointee.full.isNone ? nil : state.pointee.full
    while let span = candidate {
      precondition(span.owner == address && span.isFull && !span.isCarvable && span.record.pointee.used > 0)
      span.checkInvariants()
      count += 1
      candidate = span.record.pointee.next
    }
    precondition(count == state.pointee.spanCount)
  }
}

extension Span {
  /// Every block is out, free or uncarved, and those that other threads have released count as out.
  func checkInvariants() {
    var free = 0
    var candidate = record.pointee.free
    while let block = candidate {
      precondition(block.isSigned && hasBlock(at: Span.locate(block.address).offset))
      precondition(block.address < UInt(bitPattern: start) + UInt(byteCount))
      free += 1
      precondition(free <= Int(record.pointee.carved))
      candidate = block.next
    }
    precondition(blocksOut == Int(record.pointee.carved) - free)
    precondition(RemoteQueue.count(RemoteQueue(of: self).word) <= blocksOut)
    precondition(Int(record.pointee.blockSize) == SizeClass.blockSize(Int(record.pointee.sizeClass)))
    for slot in 0..<Int(record.pointee.slotCount) {
      precondition(Int(chunk.span(slot: firstSlot + slot).record.pointee.slotOffset) == slot)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Blocks of one class that a thread has released and that are of other threads' spans.
//
// They serve the thread's own next requests; what it does not need goes home in batches, one push for neighbours in the list that
// are of one span. So threads that exchange blocks both ways hardly ever write to each other's memory, and one that only
// releases does so once for many blocks. For its owner a block in here is out. Only the heap's thread touches it.

struct RemoteCache {
  struct State {
    var first: FreeBlock?
    var count: Int
  }

  /// Blocks of `size` bytes of which a cache holds at most so many: 8 KiB of them.
  @_noLocks
  static func limit(size: Int) -> Int { min(64, (8 << 10) / size) }

  let state: UnsafeMutablePointer<State>

  @_noLocks
  init(_ state: UnsafeMutablePointer<State>) { self.state = state }

  @_noLocks
  func clear() {
    state.pointee.first = nil
    state.pointee.count = 0
  }

  @_noLocks
  func push(_ block: FreeBlock) {
    block.link(to: state.pointee.first)
    state.pointee.first = block
    state.pointee.count += 1
  }

  @_noLocks
  func pop() -> FreeBlock? {
    guard let block = state.pointee.first else { return nil }
    if !block.isSigned { Misuse.writtenAfterFree.die(block.address) }
    state.pointee.first = block.next
    state.pointee.count -= 1
    block.clearSignature()
    return block
  }

  @_noLocks
  func contains(_ block: FreeBlock) -> Bool {
    guard let first = state.pointee.first else { return false }
    return first.listContains(block, limit: state.pointee.count)
  }

  /// Sends all blocks home. `heap` is the thread's own: it may have adopted the span of one meanwhile.
  @_noLocks
  func flush(to heap: ThreadHeap) {
    var rest = state.pointee.first
    clear()
    while let first = rest {
      let span = Span(containing: first.address)
      if span.owner == heap.address {
        rest = first.next
        first.clearSignature()
        heap.release(first, of: span)
        continue
      }
      var (last, count) = (first, 1)
      rest = first.next
      while let next = rest, Span(containing: next.address) == span {
        (last, rest) = (next, next.next)
        count += 1
      }
      ThreadHeap.releaseRemotely(first, last, count: count, of: span, suspect: false)
    }
  }
}

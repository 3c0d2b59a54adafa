// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Blocks of one class that a thread has at hand: what malloc takes first, and where free puts what the thread releases,
// whichever heap's span it is of. The last one in is the first one out, since it is the likeliest to be in the processor's cache.
//
// A full cache sends its older half home: a block of an own span to the span's free list, others to the remote queues of
// their spans, neighbours in the list that are of one span in one push. So threads that exchange blocks hardly ever write
// to each other's memory, and one that only releases does so once for many blocks. For its span a block in here is out. Only
// the heap's thread touches it.

@usableFromInline
struct BlockCache {
  @usableFromInline
  struct State {
    @usableFromInline var first: FreeBlock?
    /// Blocks, and how many there may be.
    @usableFromInline var count: Int32
    @usableFromInline var limit: Int32
  }

  @usableFromInline let state: UnsafeMutablePointer<State>

  @inlinable @inline(__always) @_noLocks
  init(_ state: UnsafeMutablePointer<State>) { self.state = state }

  /// Makes an empty cache for blocks of `size` bytes: of 128 at most, and of 4 KiB.
  @_noLocks
  func initialize(size: Int) {
    state.pointee.first = nil
    state.pointee.count = 0
    state.pointee.limit = Int32(truncatingIfNeeded: min(128, (4 << 10) / size))
  }

  @inlinable @inline(__always)
  var isFull: Bool { @_noLocks get { state.pointee.count >= state.pointee.limit } }

  /// Adds a block. The cache is not full.
  @inlinable @inline(__always) @_noLocks
  func push(_ block: FreeBlock) {
    block.link(to: state.pointee.first)
    state.pointee.first = block
    state.pointee.count &+= 1
  }

  /// Takes `block`, which is the first.
  @inlinable @inline(__always) @_noLocks
  func remove(_ block: FreeBlock) {
    state.pointee.first = block.next
    state.pointee.count &-= 1
    block.clearSignature()
  }

  @_noLocks
  func contains(_ block: FreeBlock) -> Bool {
    guard let first = state.pointee.first else { return false }
    return first.listContains(block, limit: Int(state.pointee.count))
  }

  /// Takes out all blocks but the `kept` last ones that came in, and returns them as a list.
  @_noLocks
  func cut(keeping kept: Int) -> FreeBlock? {
    guard var last = state.pointee.first, state.pointee.count > kept else { return nil }
    if kept == 0 {
      state.pointee.first = nil
      state.pointee.count = 0
      return last
    }
    for _ in 1..<kept {
      last.checkSignature()
      last = last.next.unsafelyUnwrapped
    }
    let rest = last.next
    last.link(to: nil)
    state.pointee.count = Int32(truncatingIfNeeded: kept)
    return rest
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// Blocks of one class that a thread has at hand: what malloc takes first, and where free puts what the thread releases,
// whichever span it is of. The last one in is the first one out, since it is the likeliest to be in the processor's cache.
//
//     CacheBin             first ──▶ □ ──▶ □ ──▶ …            what the fast paths use; has room for `limit` blocks
//     CacheBin.Reserve     first ──▶ □ ──▶ □ ──▶ … (count)    as many again, untouched
//
// Two lists, the magazines of Bonwick and Adams ("Magazines and Vmem", 2001), make a full bin and an empty one a matter of
// two words: a full bin becomes the reserve, and an empty one takes it back. Only when the bin is full and there is a
// reserve do the blocks of that one go back to their spans.
//
// A bin may be given more blocks than it has room for: its room is negative then. For its span a block in here is used.
// Only the cache's thread touches it.

@usableFromInline
struct CacheBin {
  @usableFromInline
  struct State {
    @usableFromInline var first: FreeBlock
    /// Blocks that may still come in. `limit` − `room` are there.
    @usableFromInline var room: Int32
    /// Blocks.
    var limit: Int16
    /// Whether the bin has been filled from a span since its limit last grew. Who only releases wants no larger one.
    var wasFilled: Bool

    /// An empty bin.
    @_noLocks
    init(limit: Int16) {
      first = FreeBlock.none
      room = Int32(limit)
      self.limit = limit
      wasFilled = false
    }
  }

  struct Reserve {
    var first: FreeBlock
    /// Blocks.
    var count: Int16
    /// What the last scavenge saw: how many blocks were in the bin, and whether these were in the reserve.
    var binCountThen: Int16
    var isOld: Bool

    @_noLocks
    init(_ first: FreeBlock, count: Int32) {
      self.first = first
      self.count = Int16(truncatingIfNeeded: count)
      binCountThen = -1
      isOld = false
    }
  }

  @usableFromInline let state: UnsafeMutablePointer<State>

  @inlinable @inline(__always) @_noLocks
  init(_ state: UnsafeMutablePointer<State>) { self.state = state }

  /// Bytes of a bin, by which a thread's bins follow each other.
  @inlinable @inline(__always) static var stride: Int { @_noLocks get { 16 } }

  @inlinable @inline(__always)
  var first: FreeBlock { @_noLocks get { state.pointee.first } }

  @inlinable @inline(__always)
  var hasRoom: Bool { @_noLocks get { state.pointee.room > 0 } }

  /// The room that is left when a block is put; negative where there is none for it.
  @inlinable @inline(__always)
  var nextRoom: Int32 { @_noLocks get { state.pointee.room &- 1 } }

  /// Adds a block.
  @inlinable @inline(__always) @_noLocks
  func put(_ block: FreeBlock) { put(block, leaving: nextRoom) }

  /// Adds a block, so that the room is `nextRoom`.
  @inlinable @inline(__always) @_noLocks
  func put(_ block: FreeBlock, leaving room: Int32) {
    state.pointee.room = room
    block.link(to: state.pointee.first)
    state.pointee.first = block
  }

  /// Takes the first block, which is signed.
  @inlinable @inline(__always) @_noLocks
  func take() -> UnsafeMutableRawPointer {
    let block = takeSigned()
    block.clearSignature()
    return block.pointer
  }

  /// Takes the first block, which is signed, as one on its way.
  @inlinable @inline(__always) @_noLocks
  func takeMarked() -> UnsafeMutableRawPointer {
    let block = takeSigned()
    block.mark()
    return block.pointer
  }

  @inlinable @inline(__always) @_noLocks
  func takeSigned() -> FreeBlock {
    let block = state.pointee.first
    state.pointee.first = block.next
    state.pointee.room &+= 1
    return block
  }

  /// The blocks in it.
  var count: Int32 { @_noLocks get { Int32(state.pointee.limit) - state.pointee.room } }

  /// Replaces the blocks in it.
  @_noLocks
  func set(_ first: FreeBlock, count: Int32) {
    state.pointee.first = first
    state.pointee.room = Int32(state.pointee.limit) - count
  }
}

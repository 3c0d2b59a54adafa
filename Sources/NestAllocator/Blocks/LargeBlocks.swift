// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

/// Counts blocks that are spans of their own, for statistics: one atomic addition where such a block is made, resized or
/// released.
struct LargeBlocks {
  struct State: ~Copyable {
    /// Pages, and in the upper half blocks.
    let sums: Atomic<Int>
  }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: LargeBlocks { @_noLocks get { LargeBlocks(nest_heap_table() + 56) } }

  @_noLocks
  func note(blocks: Int, pages: Int) {
    if blocks == 0 && pages == 0 { return }
    state.pointee.sums.add(blocks << 32 &+ pages, ordering: .relaxed)
  }

  var sums: (blocks: Int, pages: Int) {
    @_noLocks get {
      let sums = state.pointee.sums.load(ordering: .relaxed)
      return (sums >> 32, sums & 0xffff_ffff)
    }
  }
}

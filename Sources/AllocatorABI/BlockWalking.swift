// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import CAllocatorSupport

/// Telling which blocks are live.
///
/// An optional ability, as ``MemoryReleasing`` is. The shim exports it as `__swift_allocator_walk_blocks`; a census of the objects of a
/// process (product `AllocatorInsight`) rests on it.
public protocol BlockWalking: AllocatorABI {
  /// Goes on with a walk over all live blocks, and fills in the next ones.
  ///
  /// A block that is live from the first call of a walk to its last one is met exactly once, and one that is free for as long is not
  /// met, whatever other threads do meanwhile; what is allocated or released during the walk may be met or not. No thread is
  /// stopped, and none waits for longer than a few dozen microseconds of work: what is done under a lock does not depend on how many
  /// blocks there are.
  ///
  /// May be called by any thread at any time, but not in a signal handler. Allocates nothing. A walk may be given up at any time;
  /// there may be several.
  ///
  /// - Parameters:
  ///   - walk: where the walk has got to, all zeros at the start.
  ///   - blocks: memory for the blocks, initialized or not.
  ///   - capacity: how many there is room for; some hundreds are a good number.
  /// - Returns: how many were filled in; 0 at the end of the walk.
  static func readLiveBlocks(
    _ walk: UnsafeMutablePointer<allocator_walk>, into blocks: UnsafeMutablePointer<allocator_block>, capacity: Int
  ) -> Int
}

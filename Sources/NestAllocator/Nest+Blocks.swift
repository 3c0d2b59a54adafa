// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import AllocatorABI
public import CAllocatorSupport

extension Nest: BlockWalking {
  /// Of all flavours together, since they share their heaps. Exact of what is live for as long as the walk lasts, whatever other
  /// threads do meanwhile; a span's worth of blocks, some microseconds, is the longest that a heap's lock is held. Costs some
  /// 20 ns for a block, and 5 µs for each 32 GiB of address space in use.
  ///
  /// A block of more than 64 KiB has no words: read them where they may be gone. See
  /// `BlockWalking.readLiveBlocks(_:into:capacity:)`.
  @inlinable
  public static func readLiveBlocks(
    _ walk: UnsafeMutablePointer<allocator_walk>, into blocks: UnsafeMutablePointer<allocator_block>, capacity: Int
  ) -> Int {
    BlockWalk.read(walk, into: blocks, capacity: capacity)
  }
}

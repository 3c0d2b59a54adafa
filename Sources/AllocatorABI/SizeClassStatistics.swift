// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import CAllocatorSupport

/// What an allocator knows of its blocks of one size. A value that it cannot tell is nil.
public struct SizeClassStatistics: Equatable, Sendable {
  /// Bytes that a block of the class holds.
  public var blockSize: Int
  /// Blocks that are allocated and not released.
  public var liveBlocks: Int?
  /// Blocks that have been made and are free, wherever they wait.
  public var freeBlocks: Int?
  /// Bytes of the memory that is set aside for the class.
  public var spanBytes: Int?

  @_noLocks
  public init(blockSize: Int, liveBlocks: Int? = nil, freeBlocks: Int? = nil, spanBytes: Int? = nil) {
    self.blockSize = blockSize
    self.liveBlocks = liveBlocks
    self.freeBlocks = freeBlocks
    self.spanBytes = spanBytes
  }

  /// What has come from another artifact.
  @_noLocks
  public init(_ exported: allocator_size_class) {
    blockSize = Int(exported.block_size)
    liveBlocks = exported.live_blocks < 0 ? nil : Int(exported.live_blocks)
    freeBlocks = exported.free_blocks < 0 ? nil : Int(exported.free_blocks)
    spanBytes = exported.span_bytes < 0 ? nil : Int(exported.span_bytes)
  }
}

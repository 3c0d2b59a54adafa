// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// What is where in the address space: a word for each 4 MiB (a cell), in leaves of 32 GiB; see `nest_storage.h`.
///
/// Read without a lock. A cell is written under the lock of what it leads to: the page heap's or that of the huge blocks.
enum AddressMap {
  private static var chunk: UInt { @_noLocks get { 1 } }

  /// Whether `address` lies in a chunk.
  @_noLocks
  static func isInChunk(_ address: UInt) -> Bool {
    isChunkCell(address) && Chunk(containing: address).contains(address)
  }

  /// Whether a chunk begins in the cell of `address`. What is behind the chunk's end may be something else.
  @_noLocks
  private static func isChunkCell(_ address: UInt) -> Bool {
    guard let cell = nest_cell(address) else { return false }
    return nest_cell_value(cell) == chunk
  }

  /// Makes room for a word about `address`. Returns false when memory is exhausted. Costs a system call once for 32 GiB; not
  /// under a lock.
  @_noLocks
  static func reserve(_ address: UInt) -> Bool { nest_make_cell(address) != 0 }

  /// Says that there is a chunk, for which there is room. All of it that others read is written before.
  @_noLocks
  static func add(_ added: Chunk) {
    guard let cell = nest_cell(UInt(bitPattern: added.base)) else { return }
    HugeBlocks.shared.lock.lock()
    added.header.pointee.hugeBlocks = HugeBlock(bitPattern: nest_cell_value(cell))
    nest_set_cell(cell, chunk)
    HugeBlocks.shared.lock.unlock()
    nest_cache_chunk(UInt(bitPattern: added.base))
  }

  @_noLocks
  static func remove(_ removed: Chunk) {
    guard let cell = nest_cell(UInt(bitPattern: removed.base)) else { return }
    nest_uncache_chunk(UInt(bitPattern: removed.base))
    HugeBlocks.shared.lock.lock()
    nest_set_cell(cell, HugeBlock.bitPattern(removed.header.pointee.hugeBlocks))
    HugeBlocks.shared.lock.unlock()
  }

  /// The first of the huge blocks that begin in the cell of `address`. Under their lock.
  @_noLocks
  static func firstHugeBlock(_ address: UInt) -> HugeBlock? {
    guard let cell = nest_cell(address) else { return nil }
    let value = nest_cell_value(cell)
    return value == chunk ? Chunk(containing: address).header.pointee.hugeBlocks : HugeBlock(bitPattern: value)
  }

  /// Under the lock of the huge blocks.
  @_noLocks
  static func setFirstHugeBlock(_ address: UInt, _ block: HugeBlock?) {
    guard let cell = nest_cell(address) else { return }
    if nest_cell_value(cell) == chunk {
      Chunk(containing: address).header.pointee.hugeBlocks = block
    } else {
      nest_set_cell(cell, HugeBlock.bitPattern(block))
    }
  }

  /// The first chunk that begins at `address` or behind it. Costs a look at each cell of a leaf.
  @_noLocks
  static func nextChunk(_ address: UInt) -> Chunk? {
    var next = nextCell(address)
    while let cell = next {
      if cell.isChunk { return UnsafeMutableRawPointer(bitPattern: cell.address).map { Chunk(base: $0) } }
      next = nextCell(cell.address + UInt(Chunk.size))
    }
    return nil
  }

  /// Behind the last cell.
  static var end: UInt { @_noLocks get { UInt(NEST_ROOT_LEAVES) * UInt(NEST_LEAF_CELLS) << UInt(NEST_CHUNK_SHIFT) } }

  /// The first cell at `address` or behind it in which something begins: where it begins itself, and whether it is a chunk's. Costs a look
  /// at each cell of a leaf.
  @_noLocks
  static func nextCell(_ address: UInt) -> (address: UInt, isChunk: Bool)? {
    var cell = Int(bitPattern: address >> UInt(NEST_CHUNK_SHIFT))
    while cell < Int(NEST_ROOT_LEAVES) * Int(NEST_LEAF_CELLS) {
      guard let leaf = nest_leaf(UInt(bitPattern: cell) / UInt(NEST_LEAF_CELLS)) else {
        cell = (cell / Int(NEST_LEAF_CELLS) + 1) * Int(NEST_LEAF_CELLS)
        continue
      }
      let value = nest_cell_value(leaf + cell % Int(NEST_LEAF_CELLS))
      if value != 0 { return (UInt(bitPattern: cell) << UInt(NEST_CHUNK_SHIFT), value == chunk) }
      cell += 1
    }
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Pages of a chunk that follow each other.
struct PageRun {
  let chunk: Chunk
  /// The number of the first page in its chunk.
  let first: Int
  /// Pages.
  let count: Int

  @_noLocks
  init(_ chunk: Chunk, _ first: Int, _ count: Int) {
    self.chunk = chunk
    self.first = first
    self.count = count
  }

  var start: UnsafeMutableRawPointer { @_noLocks get { chunk.address(page: first) } }

  var byteCount: Int { @_noLocks get { count << Chunk.pageShift } }

  var end: Int { @_noLocks get { first + count } }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Glibc

/// Prints which allocator answers malloc, by how many bytes its live ones rise when 1000 blocks of 10 KB are allocated, and
/// whether a trim is possible.
func printProcessAllocator() {
  let before = ProcessAllocator.current
  let blocks = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 1_000)
  for index in 0..<1_000 {
    blocks[index] = malloc(10_000)
    memset(blocks[index]!, 1, 10_000)
  }
  let after = ProcessAllocator.current
  let rise = before.statistics.liveBytes.flatMap { old in after.statistics.liveBytes.map { $0 - old } }
  print(after.name, rise.map { "\($0)" } ?? "unknown", MemoryTrim.perform().isPossible)
  for index in 0..<1_000 { free(blocks[index]) }
  blocks.deallocate()
}

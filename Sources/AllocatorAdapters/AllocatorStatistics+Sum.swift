// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport

/// What an allocator made of two knows.
extension AllocatorStatistics {
  /// The numbers of both together; nil where one of them is.
  @inlinable
  @_noLocks
  static func sum(_ first: AllocatorStatistics, _ second: AllocatorStatistics) -> AllocatorStatistics {
    var sum = AllocatorStatistics()
    sum.liveBytes = plus(first.liveBytes, second.liveBytes)
    sum.activeBytes = plus(first.activeBytes, second.activeBytes)
    sum.residentBytes = plus(first.residentBytes, second.residentBytes)
    sum.mappedBytes = plus(first.mappedBytes, second.mappedBytes)
    sum.retainedBytes = plus(first.retainedBytes, second.retainedBytes)
    sum.metadataBytes = plus(first.metadataBytes, second.metadataBytes)
    sum.freeBytes = plus(first.freeBytes, second.freeBytes)
    sum.releasableBytes = plus(first.releasableBytes, second.releasableBytes)
    sum.liveBlocks = plus(first.liveBlocks, second.liveBlocks)
    sum.allocations = plus(first.allocations, second.allocations)
    sum.deallocations = plus(first.deallocations, second.deallocations)
    return sum
  }

  @inlinable
  @_noLocks
  static func plus(_ first: Int?, _ second: Int?) -> Int? {
    if let first, let second { first + second } else { nil }
  }

  /// Puts two runs of size classes, each in the order of the sizes, into that order together. One step for each pair that changes places.
  @inlinable
  @_noLocks
  static func merge(_ classes: UnsafeMutablePointer<allocator_size_class>, count: Int, firstCount: Int) {
    var next = firstCount
    while next < count {
      let inserted = classes[next]
      var place = next
      while place > 0 && classes[place - 1].block_size > inserted.block_size {
        classes[place] = classes[place - 1]
        place -= 1
      }
      classes[place] = inserted
      next += 1
    }
  }
}

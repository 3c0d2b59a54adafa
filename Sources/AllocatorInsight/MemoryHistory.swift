// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

/// What is kept of a moment: 48 bytes.
struct MemorySample: Equatable, Sendable {
  /// Seconds of a clock that never goes back.
  var time: Double
  /// Bytes in live blocks; -1 where the allocator cannot tell.
  var live: Int
  /// Bytes of the process's own in memory or swapped out.
  var own: Int
  /// Bytes of those that the allocator holds, live or not; -1 where it cannot tell.
  var heap: Int
  /// Bytes that a trim would give back; -1 where the allocator cannot tell.
  var releasable: Int

  /// Bytes of the process's own that are not the allocator's.
  var outside: Int { heap < 0 ? -1 : max(own - heap, 0) }

  init(time: Double, live: Int, own: Int, heap: Int, releasable: Int) {
    self.time = time
    self.live = live
    self.own = own
    self.heap = heap
    self.releasable = releasable
  }

  init(time: Double, process: ProcessMemory, allocator: ProcessAllocator) {
    let statistics = allocator.statistics
    let own = process.ownBytes ?? process.residentBytes ?? 0
    self.init(
      time: time, live: statistics.liveBytes ?? -1, own: own, heap: Self.heapBytes(statistics, own: own) ?? -1,
      releasable: Self.releasableBytes(statistics, own: own) ?? -1)
  }

  /// Bytes in memory that the allocator holds: what it says, but no more than there is.
  static func heapBytes(_ statistics: AllocatorStatistics, own: Int) -> Int? {
    (statistics.residentBytes ?? statistics.mappedBytes).map { min($0, own) }
  }

  /// What a trim would give back. An allocator that does not know what it holds in memory (glibc) also counts what an earlier
  /// trim has given back: no more than what is in memory can go.
  static func releasableBytes(_ statistics: AllocatorStatistics, own: Int) -> Int? {
    guard let releasable = statistics.releasableBytes else { return nil }
    guard statistics.residentBytes == nil, let mapped = statistics.mappedBytes else { return releasable }
    return max(releasable - max(mapped - own, 0), 0)
  }
}

/// Samples of the past, the denser the younger: when there is no more room, the one goes whose neighbours are closest for
/// their age. So 96 samples (4.5 KiB) reach back for ever, and tell when something began to within a few per cent of how long
/// ago that was.
struct MemoryHistory: Sendable {
  static let capacity = 96

  private(set) var samples: [MemorySample] = []

  init() { samples.reserveCapacity(Self.capacity + 1) }

  /// Adds a sample that is younger than all others.
  mutating func add(_ sample: MemorySample) {
    if let last = samples.last, sample.time <= last.time { return }
    samples.append(sample)
    guard samples.count > Self.capacity else { return }
    var thinnest = 1
    var least = Double.infinity
    for index in 1..<samples.count - 1 {
      let gap = samples[index + 1].time - samples[index - 1].time
      let age = sample.time - samples[index].time
      let share = gap / (age + 4)
      if share < least {
        least = share
        thinnest = index
      }
    }
    samples.remove(at: thinnest)
  }
}

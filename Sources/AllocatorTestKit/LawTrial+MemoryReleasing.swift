// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

// The law of `MemoryReleasing`.
extension LawTrial {
  /// Gives free memory back, where the type can.
  func releaseFreeMemory() {
    guard let releasing = Allocator.self as? any MemoryReleasing.Type else { return }
    countStep()
    releasing.releaseFreeMemory()
  }

  func checkReleaseKeepsBlocks() throws {
    var live: [TestBlock] = []
    for round in 0..<6 {
      while live.count < 300 {
        let size = random.size(upTo: random.oneIn(20) ? limits.largestSize / 8 : 5000)
        live.append(try allocateFilled(size: size, align: random.alignment(upTo: 4096)))
      }
      try expectDisjoint(live) { $0.size }
      try expectContents(live, "after others were allocated, in round \(round)")
      live.shuffle(using: &random)
      for _ in 0..<200 { deallocate(live.removeLast()) }
      releaseFreeMemory()
      try expectContents(live, "after releaseFreeMemory, in round \(round)")
    }
    for block in live { deallocate(block) }
    // Twice, and with nothing left to give.
    releaseFreeMemory()
    releaseFreeMemory()
  }
}

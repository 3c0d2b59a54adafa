// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// Reads the sampled blocks that are alive, some at a time, with the types of the objects in them.
struct LiveSamples {
  struct Sample {
    var block: insight_live_block
    /// Nil where there is no Swift object.
    var type: String?
  }

  private static let step: UInt32 = 1024

  private let capacity: UInt32
  private var first: UInt32 = 1

  init(state: insight_profile_state) { capacity = state.live_capacity }

  /// The next ones; nil at the end.
  ///
  /// - Parameter name: tells the type of the object at an address.
  mutating func next(naming name: (UInt) -> String?) -> [Sample]? {
    guard first < capacity else { return nil }
    let count = min(Self.step, capacity - first)
    let blocks = Self.blocks(first, count)
    let names = blocks.map { $0.address == 0 ? nil : name($0.address) }
    // What was released while it was read may have been anything.
    let after = Self.blocks(first, count)
    first += count
    return zip(zip(blocks, names), after).compactMap { block, now in
      block.0.address == 0 ? nil : Sample(block: block.0, type: now.serial == block.0.serial ? block.1 : nil)
    }
  }

  private static func blocks(_ first: UInt32, _ count: UInt32) -> [insight_live_block] {
    [insight_live_block](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
      insight_profile_read_live(first, count, buffer.baseAddress!)
      initialized = Int(count)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import KitSupport

// What the laws draw: from a seed, so that a failing run can be made again.

extension SplitMix64 {
  /// A number from 0 up to `bound` exclusive. The modulo's bias does not matter here, and it is fast in debug builds.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// True once in `count` times.
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

  /// A size from 0 to `largest` bytes, each power of two as likely as the next, often next to a power of two.
  mutating func size(upTo largest: Int) -> Int {
    let bits = below(Int.bitWidth - largest.leadingZeroBitCount + 1)
    let ceiling = 1 << bits
    let size =
      switch below(8) {
      case 0: ceiling
      case 1: ceiling + 1
      case 2: ceiling - 1
      default: below(ceiling)
      }
    return min(size, largest)
  }

  /// An alignment, mostly of those that programs ask for, at times one up to `largest`.
  mutating func alignment(upTo largest: Int) -> Int {
    switch below(16) {
    case 0: min(1 << below(13), largest)
    case 1: min(1 << below(17), largest)
    case 2...5: 8
    default: min(1 << below(6), largest)
    }
  }
}

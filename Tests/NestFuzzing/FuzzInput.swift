// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The bytes of an input, read as choices. Where they have ended, each further choice is 0.
struct FuzzInput {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func byte() -> Int {
    defer { position += 1 }
    return isAtEnd ? 0 : Int(bytes[position])
  }

  /// A size in bytes: half of them small, some of every kind up to 16 MiB, and next to round numbers.
  mutating func size() -> Int {
    let (low, high) = (byte(), byte())
    let (scale, number) = (high >> 4, (high & 15) << 8 | low)
    switch scale {
    case 0..<8: return number & 0x3ff
    case 8..<12: return number << 3
    case 12..<14: return number << 6 | (number & 7)
    case 14: return max(0, number << 8 + (number & 7) - 3)
    // Few are very large, because they cost most of the time.
    default:
      return number < 0xf00 ? number << 5 : max(0, (number & 0xff) << (number & 3 == 0 ? 16 : 13) + (number & 7) - 3)
    }
  }

  /// An alignment in bytes: 1 to 16 MiB.
  mutating func alignment() -> Int { 1 << (byte() % 25) }
}

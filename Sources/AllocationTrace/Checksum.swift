// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// FNV-1a with 64 bits (Fowler, Noll, Vo): finds damage, not malice.
enum Checksum {
  static let empty: UInt64 = 0xCBF2_9CE4_8422_2325

  static func of(_ bytes: UnsafeRawBufferPointer, after start: UInt64 = empty) -> UInt64 {
    var sum = start
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return sum
  }
}

func errorText(_ number: Int) -> String { String(cString: strerror(Int32(truncatingIfNeeded: number))) }

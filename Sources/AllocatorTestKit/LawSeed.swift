// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// The seed of a run where the caller gives none.
public enum LawSeed {
  /// What the environment variable `ALLOCATOR_TEST_SEED` says (decimal, or hexadecimal after `0x`), else another value
  /// each time.
  public static var current: UInt64 {
    guard let text = getenv("ALLOCATOR_TEST_SEED").map({ String(cString: $0) }), !text.isEmpty else {
      return UInt64.random(in: .min ... .max)
    }
    guard let seed = parse(text) else {
      fatalError("ALLOCATOR_TEST_SEED is \"\(text)\", which is no 64-bit number, decimal or after 0x hexadecimal")
    }
    return seed
  }

  static func parse(_ text: String) -> UInt64? {
    text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }
}

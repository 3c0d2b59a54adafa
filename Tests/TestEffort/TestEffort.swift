// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTestKit
import Glibc

/// How much tests do: by default what is done in a minute; with `ALLOCATOR_SLOW_TESTS=1` in the environment all of it.
public enum TestEffort {
  /// Whether everything is to be run.
  public static let isFull = getenv("ALLOCATOR_SLOW_TESTS").map { String(cString: $0) } == "1"

  /// Why a test is skipped that is run only then.
  public static let reason = "skipped: slow. ALLOCATOR_SLOW_TESTS=1 swift test runs it"

  /// How often something is to be done that is the likelier to fail the more often it is.
  public static func count(_ full: Int, quick: Int) -> Int { isFull ? full : quick }

  /// What is to be gone through: all of it, or what stands for the rest.
  public static func choice<Element>(_ full: [Element], quick: [Element]) -> [Element] { isFull ? full : quick }
}

extension LawLimits {
  /// For allocators that are made of others.
  public static var ofTests: LawLimits {
    TestEffort.isFull ? LawLimits() : LawLimits(largestSize: 1 << 17, operations: 1_500, operationsPerThread: 300)
  }
}

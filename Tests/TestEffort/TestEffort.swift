// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// How much tests do: by default what is done in a minute; with `ALLOCATOR_SLOW_TESTS=1` in the environment all of it.
public enum TestEffort {
  /// Whether everything is to be run.
  public static let isFull = getenv("ALLOCATOR_SLOW_TESTS").map { String(cString: $0) } == "1"

  /// How often something is to be done that is the likelier to fail the more often it is.
  public static func count(_ full: Int, quick: Int) -> Int { isFull ? full : quick }

  /// What is to be gone through: all of it, or what stands for the rest.
  public static func choice<Element>(_ full: [Element], quick: [Element]) -> [Element] { isFull ? full : quick }
}

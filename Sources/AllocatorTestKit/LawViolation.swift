// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A law that an allocator broke: which, with what call, and how to see it again.
///
/// The description is one line for a log or a test's failure message. It ends with the seed; set the environment
/// variable `ALLOCATOR_TEST_SEED` to it, or pass it as `seed:`, and the same calls are made in the same order.
public struct LawViolation: Error, Equatable, Sendable, CustomStringConvertible {
  /// The law.
  public let law: AllocatorLaw
  /// The type of the allocator, as Swift prints it.
  public let allocator: String
  /// What was called, what the contract wants, and what came.
  public let message: String
  /// The number of the allocator call, from 1, counted from the start of the law's check (for
  /// ``AllocatorLaw/anyThread``: of one thread's part of it).
  public let step: Int
  /// The seed of the run.
  public let seed: UInt64

  public var description: String {
    "\(allocator) breaks \(law.rawValue): \(message) (step \(step), ALLOCATOR_TEST_SEED=0x\(String(seed, radix: 16)))"
  }
}

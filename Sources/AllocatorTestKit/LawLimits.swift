// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// How far ``AllocatorLaws`` goes. The defaults are what the contract asks for, and take a few seconds in a debug
/// build.
///
/// The checks hold at most about 64 MiB at once at the defaults, besides the address space that large alignments take.
/// An allocator that never reuses memory needs about 4 GiB of address space for all of them; for one that has less,
/// lower the sizes, and say so beside the call.
public struct LawLimits: Sendable {
  /// The largest alignment asked for, in bytes, a power of two. The contract wants 1 GiB.
  public var largestAlignment: Int
  /// The largest block that is filled and verified, in bytes; at least 64 KiB.
  public var largestSize: Int
  /// How many random operations ``AllocatorLaw/anySequence`` makes.
  public var operations: Int
  /// How many threads ``AllocatorLaw/anyThread`` has running at once.
  public var threads: Int
  /// How many operations each of these threads makes.
  public var operationsPerThread: Int

  /// Limits with the given values. See the properties of the same names.
  public init(
    largestAlignment: Int = 1 << 30,
    largestSize: Int = 8 << 20,
    operations: Int = 20_000,
    threads: Int = 8,
    operationsPerThread: Int = 5_000
  ) {
    self.largestAlignment = largestAlignment
    self.largestSize = max(largestSize, 64 << 10)
    self.operations = operations
    self.threads = threads
    self.operationsPerThread = operationsPerThread
  }
}

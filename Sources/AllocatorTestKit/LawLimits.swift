// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// How far ``AllocatorLaws`` goes. The defaults are what the contract asks for, and take a few seconds in a debug build.
///
/// At the defaults the checks hold about 16 MiB at once, besides the address space that large alignments take. An allocator
/// that never reuses memory hands out 2.5 GiB, and 16 GiB of address space for the alignments; with
/// `LawLimits(largestAlignment: 1 << 20, largestSize: 64 << 10, operations: 2000, operationsPerThread: 500)`, 256 MiB. Say
/// beside the call why a limit is lower than the contract's.
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

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A call of a trace. A slot is a number that one block at a time has, from 0.
public struct TraceEvent: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case allocate, allocateZeroed, deallocate, deallocateSized, reallocate, resizeInPlace
    case failedAllocation, failedZeroedAllocation, failedReallocation
  }

  public var kind: Kind
  /// The calling thread, from 0 in the order of the first calls.
  public var thread: Int
  /// The block; -1 where there is none.
  public var slot: Int
  /// Bytes that the block has after the call, or was asked to have; those that it had where it is released.
  public var size: Int
  /// The binary logarithm of the alignment in bytes, of allocations and reallocations.
  public var alignment: Int
  /// Since the call before, in nanoseconds; 0 where the trace has no times.
  public var nanoseconds: UInt64

  public init(kind: Kind, thread: Int, slot: Int, size: Int, alignment: Int, nanoseconds: UInt64) {
    self.kind = kind
    self.thread = thread
    self.slot = slot
    self.size = size
    self.alignment = alignment
    self.nanoseconds = nanoseconds
  }
}

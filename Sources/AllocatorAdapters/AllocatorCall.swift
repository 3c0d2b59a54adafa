// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorTrace

/// A call that ``TracingAllocator`` has written down.
public struct AllocatorCall: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// An allocation, after the call: without an address where it failed.
    case allocate, allocateZeroed
    /// A release, before the call; without and with the block's size.
    case deallocate, deallocateSized
    /// A reallocation, before the call, with the old address.
    case reallocate
    /// The same one after the call, by the same thread, with the new address; without one where it failed, and the old block stays.
    case reallocated
    /// A block that has been resized where it is, after the call.
    case reallocatedInPlace
  }

  public var kind: Kind
  /// The calling thread, as the kernel numbers it (gettid(2)).
  public var thread: Int
  /// The block, or nil.
  public var address: UInt?
  /// Bytes that the call named; 0 where it names none.
  public var size: Int
  /// Bytes, a power of two; 1 where the call names none.
  public var alignment: Int
  /// When, in nanoseconds of the monotonic clock.
  public var nanoseconds: UInt64

  public init(
    kind: Kind, thread: Int, address: UInt?, size: Int, alignment: Int, nanoseconds: UInt64 = 0
  ) {
    self.kind = kind
    self.thread = thread
    self.address = address
    self.size = size
    self.alignment = alignment
    self.nanoseconds = nanoseconds
  }

  init?(_ record: allocator_trace_record) {
    switch record.call {
    case ALLOCATOR_TRACE_ALLOCATE: kind = .allocate
    case ALLOCATOR_TRACE_ALLOCATE_ZEROED: kind = .allocateZeroed
    case ALLOCATOR_TRACE_DEALLOCATE: kind = .deallocate
    case ALLOCATOR_TRACE_DEALLOCATE_SIZED: kind = .deallocateSized
    case ALLOCATOR_TRACE_REALLOCATE: kind = .reallocate
    case ALLOCATOR_TRACE_REALLOCATED: kind = .reallocated
    case ALLOCATOR_TRACE_REALLOCATED_IN_PLACE: kind = .reallocatedInPlace
    default: return nil
    }
    thread = Int(record.thread)
    address = record.address == 0 ? nil : UInt(record.address)
    size = Int(truncatingIfNeeded: record.size)
    alignment = 1 << Int(record.alignment)
    nanoseconds = record.nanoseconds
  }
}

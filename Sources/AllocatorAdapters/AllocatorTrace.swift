// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorTrace

/// What the tracing allocators of this artifact write down (``TracingAllocator``), read by the process itself.
///
/// A fork's child begins without a buffer, and may ask for one of its own.
public enum AllocatorTrace {
  /// Begins to write, or goes on, into a buffer of this process.
  ///
  /// Where nobody takes calls out and the buffer is full, calls are lost at once and counted. Costs a few system calls, and a buffer
  /// costs memory as far as it has been written: 40 bytes a call. It stays for as long as the process lives.
  ///
  /// - Parameter capacity: how many calls the buffer holds, rounded up to a power of two; of no effect where there is a buffer already.
  /// - Returns: false where calls are being written already, or there is no memory for the buffer.
  @discardableResult
  public static func start(capacity: Int) -> Bool { allocator_trace_start(max(0, capacity)) }

  /// Ends writing. What is in the buffer can still be taken out. Calls of other threads that are under way may still come.
  public static func stop() { allocator_trace_stop() }

  /// Whether calls are being written.
  public static var isOn: Bool { allocator_trace_is_on() }

  /// Calls that found no room in the buffer.
  public static var lostCalls: Int {
    guard let ring = allocator_trace_own_ring() else { return 0 }
    return Int(allocator_trace_ring_lost(ring))
  }

  /// Takes the oldest calls out of the buffer, in their order.
  ///
  /// One thread at a time. It allocates an array, which is traced itself where the program's own allocator is.
  public static func takeCalls(atMost count: Int) -> [AllocatorCall] {
    guard let ring = allocator_trace_own_ring(), count > 0 else { return [] }
    let records = UnsafeMutablePointer<allocator_trace_record>.allocate(capacity: count)
    defer { records.deallocate() }
    let taken = allocator_trace_ring_read(ring, records, count, false)
    return (0..<taken).compactMap { AllocatorCall(records[$0]) }
  }
}

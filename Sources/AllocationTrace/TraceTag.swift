// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The first byte of each entry of a trace: what follows, as variable-length numbers (LEB128, the low 7 bits first), stands beside it.
///
/// A block is its slot: an allocation takes the slot that was freed last, or the next new one, so it need not say which. A slot is
/// written as its distance to the one that was used last, in zigzag form. Where the trace has times, each call is followed by the nanoseconds
/// since the one before.
enum TraceTag: UInt8 {
  case allocate = 1  // [alignment] size
  case allocateZeroed = 2  // [alignment] size
  case deallocate = 3  // slot
  case deallocateSized = 4  // slot
  case reallocate = 5  // [alignment] slot size
  case resizeInPlace = 6  // slot size
  case thread = 7  // the thread of what follows, from 0; a new one has the next number. The first entry is of thread 0.
  case failedAllocation = 8  // [alignment] size
  case failedZeroedAllocation = 9  // [alignment] size
  case failedReallocation = 10  // [alignment] slot size

  /// Set in the byte where the binary logarithm of the alignment stands in the entry. Else it is 4: 16 bytes.
  static let hasAlignment: UInt8 = 0x10
}

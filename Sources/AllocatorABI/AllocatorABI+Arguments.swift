// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension AllocatorABI {
  /// Whether `size` and `align` are arguments that the contract allows: a size that is not negative, and an alignment that
  /// is a power of two.
  ///
  /// For the first line of ``allocate(size:align:)`` and its kin. Costs four instructions, takes no lock.
  @inlinable
  @inline(__always)
  public static func isValid(size: Int, align: Int) -> Bool {
    size >= 0 && align > 0 && align & (align &- 1) == 0
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// Memory from the system, in whole pages. No function here is called under a lock.
enum SystemMemory {
  /// Maps `size` zeroed bytes, a multiple of the page size. Nil when there is no memory.
  @_noLocks
  static func map(_ size: Int) -> UnsafeMutableRawPointer? {
    if let range = takeUnreturned(size, align: 1) { return range }
    return nest_map(nil, size)
  }

  /// Maps `size` zeroed bytes, a multiple of the page size, at a multiple of `align`, a power of two above that.
  @_noLocks
  static func map(_ size: Int, align: Int) -> UnsafeMutableRawPointer? {
    if let range = takeUnreturned(size, align: align) { return range }
    let (total, overflow) = size.addingReportingOverflow(align - Int(nest_page_size()))
    guard !overflow, let base = nest_map(nil, total) else { return nil }
    let start = (UInt(bitPattern: base) + UInt(align) - 1) & ~UInt(align - 1)
    let before = Int(start - UInt(bitPattern: base))
    if before > 0 { unmap(base, before) }
    if total - before > size { unmap(base + before + size, total - before - size) }
    return base + before
  }

  /// Takes memory that the system would not take back, if there is such.
  @_noLocks
  static func takeUnreturned(_ size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard UnreturnedRanges.shared.count > 0 else { return nil }
    return UnreturnedRanges.shared.take(size, align: max(align, Int(nest_page_size())))
  }

  /// Gives memory back. What the system does not take is kept for ``map(_:)``.
  @_noLocks
  static func unmap(_ start: UnsafeMutableRawPointer, _ size: Int) {
    if nest_unmap(start, size) == 0 {
      // It may have been protected. Where that stays so, nobody can use it, and its addresses are lost.
      if nest_hardening() != 0, nest_unprotect(start, size) == 0 {
        _ = nest_purge(start, size)
        return
      }
      UnreturnedRanges.shared.keep(start, size)
    } else if UnreturnedRanges.shared.count > 0 {
      UnreturnedRanges.shared.retry()
    }
  }
}

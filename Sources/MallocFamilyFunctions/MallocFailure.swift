// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorSupport

/// The failures of the malloc family: out of line, so that the functions that succeed stay short.
@usableFromInline
enum MallocFailure {
  /// Sets `errno` to ENOMEM.
  @usableFromInline
  @_noLocks
  @inline(never)
  static func outOfMemory() -> UnsafeMutableRawPointer? {
    allocator_set_error_number(ENOMEM)
    return nil
  }

  /// Sets `errno` to EINVAL.
  @usableFromInline
  @_noLocks
  @inline(never)
  static func invalidArgument() -> UnsafeMutableRawPointer? {
    allocator_set_error_number(EINVAL)
    return nil
  }
}

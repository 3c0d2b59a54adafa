// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorLimit

/// The limit of ``LimitingAllocator`` in this artifact, and what it has come to.
///
/// Every member may be used by any thread at any time, and in signal handlers; each costs an atomic operation.
public enum AllocatorLimit {
  /// Bytes that live blocks may take; `Int.max`, the default, for no limit. A limit below what they take already refuses everything
  /// until enough is released.
  public static var bytes: Int {
    get { allocator_limit_bytes() }
    set { allocator_limit_set_bytes(newValue) }
  }

  /// Bytes that live blocks take, each with its usable size.
  public static var liveBytes: Int { allocator_limit_live() }

  /// Returns how many requests were refused since this was last called, for a program that has caches to give up: a service asks
  /// now and then, because nothing can be called from inside an allocator.
  public static func takeRefusals() -> Int { allocator_limit_take_refused() }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Giving free memory back to the system at once.
///
/// An optional ability. Allocators keep memory that was released for the next requests, and return it to the system late,
/// little by little, or never; a program that knows its peak to be over need not wait. The shim exports it as
/// `__swift_release_free_memory`, and ``GlobalAllocator/releaseFreeMemory()`` calls that, which does nothing where the linked
/// allocator does not conform.
public protocol MemoryReleasing: AllocatorABI {
  /// Gives memory in which no live block lies back to the system, as `malloc_trim(3)` does with a padding of 0.
  ///
  /// Live blocks are not touched, and later requests are served as before. What stays is each page that holds a live block,
  /// and what other threads keep for their own next requests; address space may stay reserved.
  ///
  /// May be called by any thread at any time, but not in a signal handler. Takes the allocator's locks and makes system
  /// calls, at worst one for each run of free pages, while other threads may have to wait; memory that is used again costs
  /// page faults. Not for a hot path.
  static func releaseFreeMemory()
}

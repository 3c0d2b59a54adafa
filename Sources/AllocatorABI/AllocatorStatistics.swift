// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import CAllocatorSupport

/// What an allocator knows of its memory at a moment. A value that it cannot tell is nil, never 0.
///
/// The words are jemalloc's (jemalloc(3), "stats.allocated" and those that follow it), which the field uses:
///
///     mapped    ┌──────────────────────────────────────────────────────────────┐
///     resident  ├────────────────────────────────────────────────────┐         │  never touched, or given back
///     active    ├────────────────────────────────┐                   │         │
///     live      ├────────────────────┐ free      │ releasable        │         │
///               │ blocks in use      │ among the │ pages without     │         │
///               │                    │ live      │ a live block      │         │
///               └────────────────────┴───────────┴───────────────────┴─────────┘
///
/// Fixed in size and without references: reading one allocates nothing.
public struct AllocatorStatistics: Equatable, Sendable {
  /// Bytes of the blocks that are allocated and not released, each with its usable size. jemalloc's "allocated".
  public var liveBytes: Int?
  /// Bytes of the pages in which live blocks lie.
  public var activeBytes: Int?
  /// Bytes that are in memory at most: active pages, free ones that have been written, and metadata.
  public var residentBytes: Int?
  /// Bytes of address space in use, whether they are in memory or not.
  public var mappedBytes: Int?
  /// Bytes of address space that is kept for later and takes no memory.
  public var retainedBytes: Int?
  /// Bytes that the allocator's own structures take.
  public var metadataBytes: Int?
  /// Bytes that are free and still the allocator's: whole pages, and blocks among live ones.
  public var freeBytes: Int?
  /// Bytes of those that ``MemoryReleasing/releaseFreeMemory()`` would give back now.
  public var releasableBytes: Int?
  /// Blocks that are allocated and not released.
  public var liveBlocks: Int?
  /// Blocks allocated since the process began.
  public var allocations: Int?
  /// Blocks released since the process began.
  public var deallocations: Int?

  /// Nothing is known.
  @_noLocks
  public init() {}
}

extension AllocatorStatistics {
  /// The statistics that have come from another artifact.
  @_noLocks
  public init(_ exported: allocator_statistics) {
    liveBytes = Self.known(exported.live_bytes)
    activeBytes = Self.known(exported.active_bytes)
    residentBytes = Self.known(exported.resident_bytes)
    mappedBytes = Self.known(exported.mapped_bytes)
    retainedBytes = Self.known(exported.retained_bytes)
    metadataBytes = Self.known(exported.metadata_bytes)
    freeBytes = Self.known(exported.free_bytes)
    releasableBytes = Self.known(exported.releasable_bytes)
    liveBlocks = Self.known(exported.live_blocks)
    allocations = Self.known(exported.allocations)
    deallocations = Self.known(exported.deallocations)
  }

  /// The statistics as they cross the border between artifacts.
  public var exported: allocator_statistics {
    @_noLocks get {
      allocator_statistics(
        live_bytes: Self.exported(liveBytes), active_bytes: Self.exported(activeBytes),
        resident_bytes: Self.exported(residentBytes), mapped_bytes: Self.exported(mappedBytes),
        retained_bytes: Self.exported(retainedBytes), metadata_bytes: Self.exported(metadataBytes),
        free_bytes: Self.exported(freeBytes), releasable_bytes: Self.exported(releasableBytes),
        live_blocks: Self.exported(liveBlocks), allocations: Self.exported(allocations),
        deallocations: Self.exported(deallocations))
    }
  }

  @_noLocks
  private static func known(_ value: Int64) -> Int? { value < 0 ? nil : Int(value) }

  @_noLocks
  private static func exported(_ value: Int?) -> Int64 {
    if let value { Int64(value) } else { -1 }
  }
}

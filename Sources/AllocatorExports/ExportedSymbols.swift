// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The shim: exports the module's `LinkedAllocator` under the C names that the whole artifact calls.
//
// Written once. Every module that chooses an allocator has this file (as a symbolic link), and beside it one declaration:
// `typealias LinkedAllocator = …`. The compiler checks here that the type conforms to `AllocatorABI`, and, because of
// `@_noLocks`, that nothing it does allocates, locks, or asks the Swift runtime for metadata.

import AllocatorABI
public import CAllocatorSupport

/// The allocator that this module exports. An error here is about the module's `LinkedAllocator`: it is not declared, or does
/// not conform to `AllocatorABI`.
typealias ExportedAllocator = ConformingAllocator<LinkedAllocator>

/// What the linker names first when two allocators are in one artifact: symbols stand in an object in the order of the
/// source, so this one stays in front.
@_noLocks
@_cdecl("ERROR_two_allocators_are_linked__name_only_one_Global_product_in_Package_swift")
public func exportedOnce() {}

@_noLocks
@_cdecl("__rust_allocate")
public func exportedAllocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
  // "Not available in this module": mark the allocator's functions `@_noLocks`; those of another module also `@inlinable`.
  ExportedAllocator.allocate(size: size, align: align)
}

@_noLocks
@_cdecl("__rust_deallocate")
public func exportedDeallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
  ExportedAllocator.deallocate(pointer, oldSize: oldSize, align: align)
}

@_noLocks
@_cdecl("__rust_reallocate")
public func exportedReallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
  -> UnsafeMutableRawPointer?
{
  ExportedAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
}

@_noLocks
@_cdecl("__rust_reallocate_inplace")
public func exportedReallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
  ExportedAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
}

@_noLocks
@_cdecl("__rust_usable_size")
public func exportedUsableSize(size: Int, align: Int) -> Int {
  ExportedAllocator.usableSize(size: size, align: align)
}

@_noLocks
@_cdecl("__swift_allocator_name")
public func exportedName() -> UnsafePointer<CChar> {
  UnsafeRawPointer(ExportedAllocator.exportedName.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_noLocks
@_cdecl("__swift_allocator_library_symbol")
public func exportedLibrarySymbol() -> UnsafePointer<CChar> {
  UnsafeRawPointer(ExportedAllocator.librarySymbol.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_noLocks
@_cdecl("__swift_release_free_memory")
public func exportedReleaseFreeMemory() -> Int32 {
  if !ExportedAllocator.isMemoryReleasing { return 0 }
  ExportedAllocator.releaseFreeMemory()
  return 1
}

@_noLocks
@_cdecl("__swift_allocator_statistics")
public func exportedStatistics(_ statistics: UnsafeMutablePointer<allocator_statistics>, size: Int) -> Int32 {
  allocator_export_statistics(ExportedAllocator.statistics.exported, statistics, size)
  return ExportedAllocator.isStatisticsReporting ? 1 : 0
}

@_noLocks
@_cdecl("__swift_allocator_size_classes")
public func exportedSizeClasses(_ classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
  ExportedAllocator.readSizeClasses(into: classes, capacity: capacity)
}

@_noLocks
@_cdecl("__swift_allocator_walk_blocks")
public func exportedWalkBlocks(
  _ walk: UnsafeMutablePointer<allocator_walk>, _ blocks: UnsafeMutablePointer<allocator_block>, capacity: Int
) -> Int {
  ExportedAllocator.isBlockWalking ? ExportedAllocator.readLiveBlocks(walk, into: blocks, capacity: capacity) : -1
}

// By overload, what an allocator can do. Its function is called by the type's own name, not from an extension of the
// protocol: in debug builds the compiler does not see the conformance of a type in another file of the module.

extension AllocatorABI {
  /// For an allocator that is in the artifact alone.
  fileprivate static var librarySymbol: StaticString { "" }
}

extension AllocatorABI {
  fileprivate static var isMemoryReleasing: Bool { false }

  /// For the compiler: an allocator that releases has its own, and that one is meant then.
  fileprivate static func releaseFreeMemory() {}
}

extension MemoryReleasing {
  fileprivate static var isMemoryReleasing: Bool { true }
}

extension AllocatorABI {
  fileprivate static var isStatisticsReporting: Bool { false }

  // For the compiler, as above.

  fileprivate static var statistics: AllocatorStatistics { AllocatorStatistics() }

  fileprivate static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int)
    -> Int
  {
    0
  }
}

extension StatisticsReporting {
  fileprivate static var isStatisticsReporting: Bool { true }
}

extension AllocatorABI {
  fileprivate static var isBlockWalking: Bool { false }

  // For the compiler, as above.

  fileprivate static func readLiveBlocks(
    _ walk: UnsafeMutablePointer<allocator_walk>, into blocks: UnsafeMutablePointer<allocator_block>, capacity: Int
  ) -> Int {
    0
  }
}

extension BlockWalking {
  fileprivate static var isBlockWalking: Bool { true }
}

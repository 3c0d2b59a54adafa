// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What the weak definitions of `CSystemDefaults` jump to: the system allocator.

import AllocatorABI
public import CAllocatorSupport
import SystemAllocator

@_noLocks
@_cdecl("__swift_default_allocate")
public func defaultAllocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
  SystemAllocator.allocate(size: size, align: align)
}

@_noLocks
@_cdecl("__swift_default_deallocate")
public func defaultDeallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
  SystemAllocator.deallocate(pointer, oldSize: oldSize, align: align)
}

@_noLocks
@_cdecl("__swift_default_reallocate")
public func defaultReallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
  -> UnsafeMutableRawPointer?
{
  SystemAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
}

@_noLocks
@_cdecl("__swift_default_reallocate_inplace")
public func defaultReallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
  SystemAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
}

@_noLocks
@_cdecl("__swift_default_usable_size")
public func defaultUsableSize(size: Int, align: Int) -> Int {
  SystemAllocator.usableSize(size: size, align: align)
}

@_noLocks
@_cdecl("__swift_default_name")
public func defaultName() -> UnsafePointer<CChar> {
  UnsafeRawPointer(SystemAllocator.exportedName.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_noLocks
@_cdecl("__swift_default_library_symbol")
public func defaultLibrarySymbol() -> UnsafePointer<CChar> {
  UnsafeRawPointer(SystemAllocator.librarySymbol.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_noLocks
@_cdecl("__swift_default_release_free_memory")
public func defaultReleaseFreeMemory() -> Int32 {
  SystemAllocator.releaseFreeMemory()
  return 1
}

@_noLocks
@_cdecl("__swift_default_statistics")
public func defaultStatistics(_ statistics: UnsafeMutablePointer<allocator_statistics>, size: Int) -> Int32 {
  allocator_export_statistics(SystemAllocator.statistics.exported, statistics, size)
  return 1
}

@_noLocks
@_cdecl("__swift_default_size_classes")
public func defaultSizeClasses(_ classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
  SystemAllocator.readSizeClasses(into: classes, capacity: capacity)
}

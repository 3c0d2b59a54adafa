// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The shim's second part: the malloc family of the whole process over the module's `LinkedAllocator`.
//
// Written once. A module that has this file (as a symbolic link) beside `ExportedSymbols.swift` takes over malloc: the C
// target `CMallocFamily` defines the symbols, and jumps to the functions here, which are known to C as `swiftcall`
// functions. That target's module map links libc, which has to come before the Swift libraries on the linker's command
// line: gold exports an executable's `malloc` only if it has seen libc's before it meets a reference to that one's version.

import AllocatorABI
public import CAllocatorSupport
import CMallocFamily
import MallocFamilyFunctions

@_noLocks
@_silgen_name("__swift_malloc")
public func exportedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
  ExportedAllocator.mallocFamily.malloc(size)
}

@_noLocks
@_silgen_name("__swift_calloc")
public func exportedCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
  ExportedAllocator.mallocFamily.calloc(count: count, size: size)
}

@_noLocks
@_silgen_name("__swift_realloc")
public func exportedRealloc(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
  ExportedAllocator.mallocFamily.realloc(pointer, size: size)
}

@_noLocks
@_silgen_name("__swift_free")
public func exportedFree(_ pointer: UnsafeMutableRawPointer?) {
  ExportedAllocator.mallocFamily.free(pointer)
}

@_noLocks
@_silgen_name("__swift_free_sized")
public func exportedFreeSized(_ pointer: UnsafeMutableRawPointer?, _ size: Int) {
  ExportedAllocator.mallocFamily.freeSized(pointer, size: size)
}

@_noLocks
@_silgen_name("__swift_free_aligned_sized")
public func exportedFreeAlignedSized(_ pointer: UnsafeMutableRawPointer?, _ alignment: Int, _ size: Int) {
  ExportedAllocator.mallocFamily.freeAlignedSized(pointer, alignment: alignment, size: size)
}

@_noLocks
@_silgen_name("__swift_aligned_alloc")
public func exportedAlignedAlloc(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer? {
  ExportedAllocator.mallocFamily.alignedAlloc(alignment: alignment, size: size)
}

@_noLocks
@_silgen_name("__swift_posix_memalign")
public func exportedPosixMemalign(
  _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
) -> Int32 {
  ExportedAllocator.mallocFamily.posixMemalign(result, alignment: alignment, size: size)
}

@_noLocks
@_silgen_name("__swift_reallocarray")
public func exportedReallocarray(_ pointer: UnsafeMutableRawPointer?, _ count: Int, _ size: Int)
  -> UnsafeMutableRawPointer?
{
  ExportedAllocator.mallocFamily.reallocarray(pointer, count: count, size: size)
}

@_noLocks
@_silgen_name("__swift_valloc")
public func exportedValloc(_ size: Int, _ pageSize: Int) -> UnsafeMutableRawPointer? {
  ExportedAllocator.mallocFamily.valloc(size, pageSize: pageSize)
}

@_noLocks
@_silgen_name("__swift_pvalloc")
public func exportedPvalloc(_ size: Int, _ pageSize: Int) -> UnsafeMutableRawPointer? {
  ExportedAllocator.mallocFamily.pvalloc(size, pageSize: pageSize)
}

@_noLocks
@_silgen_name("__swift_malloc_usable_size")
public func exportedMallocUsableSize(_ pointer: UnsafeMutableRawPointer?) -> Int {
  ExportedAllocator.mallocFamily.usableSize(pointer)
}

// Not by the exported C symbol: under a preloaded library, that is the one of the program's allocator.
@_noLocks
@_silgen_name("__swift_malloc_trim")
public func exportedMallocTrim() -> Int32 {
  exportedReleaseFreeMemory()
}

// So these.

@_noLocks
@_silgen_name("__swift_malloc_name")
public func exportedMallocName() -> UnsafePointer<CChar> {
  exportedName()
}

@_noLocks
@_silgen_name("__swift_malloc_statistics")
public func exportedMallocStatistics(_ statistics: UnsafeMutablePointer<allocator_statistics>) {
  _ = exportedStatistics(statistics, size: MemoryLayout<allocator_statistics>.size)
}

@_noLocks
@_silgen_name("__swift_malloc_size_classes")
public func exportedMallocSizeClasses(_ classes: UnsafeMutablePointer<allocator_size_class>, _ capacity: Int) -> Int {
  exportedSizeClasses(classes, capacity: capacity)
}

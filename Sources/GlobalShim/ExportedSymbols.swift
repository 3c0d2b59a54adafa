// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The shim: exports the module's `LinkedAllocator` under the C names that the whole artifact calls.
//
// Written once. Every module that chooses an allocator has this file (as a symbolic link), and beside it one declaration:
// `typealias LinkedAllocator = …`. The compiler checks here that the type conforms to `AllocatorABI`, and, because of
// `@_noLocks`, that nothing it does allocates, locks, or asks the Swift runtime for metadata.

import AllocatorABI

/// What the linker names first when two allocators are in one artifact: symbols stand in an object in the order of the
/// source, so this one stays in front.
@_noLocks
@_cdecl("ERROR_two_allocators_are_linked__name_only_one_Global_product_in_Package_swift")
public func exportedOnce() {}

@_noLocks
@_cdecl("__rust_allocate")
public func exportedAllocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
  LinkedAllocator.allocate(size: size, align: align)
}

@_noLocks
@_cdecl("__rust_deallocate")
public func exportedDeallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
  LinkedAllocator.deallocate(pointer, oldSize: oldSize, align: align)
}

@_noLocks
@_cdecl("__rust_reallocate")
public func exportedReallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
  -> UnsafeMutableRawPointer?
{
  LinkedAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
}

@_noLocks
@_cdecl("__rust_reallocate_inplace")
public func exportedReallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
  LinkedAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
}

@_noLocks
@_cdecl("__rust_usable_size")
public func exportedUsableSize(size: Int, align: Int) -> Int {
  LinkedAllocator.usableSize(size: size, align: align)
}

@_noLocks
@_cdecl("__swift_allocator_name")
public func exportedName() -> UnsafePointer<CChar> {
  UnsafeRawPointer(LinkedAllocator.exportedName.utf8Start).assumingMemoryBound(to: CChar.self)
}

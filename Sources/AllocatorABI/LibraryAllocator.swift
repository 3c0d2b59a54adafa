// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// An allocator whose memory is a library's, such as libc or libjemalloc, and not its own.
///
/// `GlobalAllocator.installation` asks the dynamic linker where that library is. A call that it answers is one that the
/// allocator answers: the library may have taken over `malloc` itself, or its `operator new` may go to it straight. The shim
/// exports the symbol as `__swift_allocator_library_symbol`. An allocator that does not conform is in the artifact alone.
public protocol LibraryAllocator: AllocatorABI {
  /// A function that this library has, and no other library or program: "mallocx" for jemalloc. In ASCII.
  static var librarySymbol: StaticString { get }
}

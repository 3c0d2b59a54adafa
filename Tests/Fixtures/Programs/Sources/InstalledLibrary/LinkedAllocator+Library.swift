// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

/// Its memory comes from somebody else's library.
extension LinkedAllocator: LibraryAllocator {
  static var librarySymbol: StaticString { @_noLocks get { "second_malloc_version" } }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Something that the library is for; its allocator is named in the manifest alone.
@_cdecl("plugin_sum")
public func sum(_ count: Int) -> Int {
  Array(1...count).reduce(0, +)
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

/// A library that uses the facade and chooses nothing: it allocates from whatever the process has.
@_cdecl("guest_copy")
public func copy(_ bytes: UnsafeRawPointer, count: Int) -> UnsafeMutableRawPointer? {
  let block = GlobalAllocator.allocate(size: count, align: 1)
  block?.copyMemory(from: bytes, byteCount: count)
  return block
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

/// Allocates and releases blocks of all sizes, from the library's allocator and by way of Swift. Returns 0, or what went wrong.
@_cdecl("library_work")
public func work() -> Int32 {
  for size in [1, 100, 5000, 70_000, 3_000_000] {
    guard let block = GlobalAllocator.allocate(size: size, align: 64) else { return 1 }
    block.initializeMemory(as: UInt8.self, repeating: 7, count: size)
    GlobalAllocator.deallocate(block, oldSize: size, align: 64)
  }
  return (0..<1000).map { "number \($0)" }.joined().utf8.count == 9890 ? 0 : 2
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import MimallocAllocator

typealias Allocator = MimallocAllocator

if let block = Allocator.allocate(size: 100, align: 64) {
  Allocator.deallocate(block, oldSize: 100, align: 64)
  print("served")
}

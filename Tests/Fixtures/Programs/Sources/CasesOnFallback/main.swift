// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import CCases
import Glibc
import TestAllocators

/// A block, which the optimizer cannot leave out.
@inline(never)
func request(_ size: Int) -> UnsafeMutableRawPointer? {
  let function = unsafeBitCast(dlsym(nil, "malloc"), to: (@convention(c) (Int) -> UnsafeMutableRawPointer?).self)
  return function(size)
}

// The process's malloc is made of two allocators, of which the first is used up soon.
let (before, large) = (request(1000)!, request(100 << 20)!)
guard RegionAllocator.owns(before), !RegionAllocator.owns(large) else { exit(3) }
free(before)
free(large)
for name in CommandLine.arguments.dropFirst() { run_case(name) }

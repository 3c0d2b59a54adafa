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

// The process's malloc is made of two allocators: both are in use.
let live = AllocatorLimit.liveBytes
let (small, large) = (request(64)!, request(65)!)
guard RegionAllocator.owns(small), !RegionAllocator.owns(large), AllocatorLimit.liveBytes >= live + 129 else { exit(3) }
free(small)
free(large)
guard AllocatorLimit.liveBytes == live else { exit(4) }
// A limit refuses, and lets in again.
AllocatorLimit.bytes = AllocatorLimit.liveBytes + (1 << 20)
guard request(2 << 20) == nil, errno == ENOMEM, AllocatorLimit.takeRefusals() == 1 else { exit(5) }
AllocatorLimit.bytes = .max
for name in CommandLine.arguments.dropFirst() { run_case(name) }

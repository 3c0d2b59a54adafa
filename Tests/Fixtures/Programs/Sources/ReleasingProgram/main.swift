// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import Glibc

// Gives memory back through the facade, and as C does. Prints how often that has reached the allocator.
typealias Trim = @convention(c) (Int) -> CInt
let trim = unsafeBitCast(dlsym(nil, "malloc_trim")!, to: Trim.self)
GlobalAllocator.releaseFreeMemory()
let calls = allocator_storage().assumingMemoryBound(to: Int.self)
print(calls.pointee, trim(0), calls.pointee)

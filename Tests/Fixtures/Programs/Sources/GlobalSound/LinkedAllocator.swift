// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#if ALLOCATES
  import AllocatingAllocator
#elseif LOCKS
  import LockingAllocator
#else
  import SoundAllocator
#endif

typealias LinkedAllocator = MistakenAllocator

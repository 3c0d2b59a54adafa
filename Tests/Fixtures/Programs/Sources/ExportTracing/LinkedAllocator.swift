// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import SystemAllocator
import TestAllocators

/// Traces an allocator that is made of two others.
typealias LinkedAllocator = TracingAllocator<FallbackAllocator<RegionAllocator, SystemAllocator>>

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import SystemAllocator
import TestAllocators

/// Blocks from a region while it lasts, and then from glibc.
typealias LinkedAllocator = CountingAllocator<FallbackAllocator<RegionAllocator, SystemAllocator>>

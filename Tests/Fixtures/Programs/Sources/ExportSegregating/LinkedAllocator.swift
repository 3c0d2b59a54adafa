// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import SystemAllocator
import TestAllocators

/// Small blocks from a region, large ones from glibc, and the bytes of both counted.
typealias LinkedAllocator = LimitingAllocator<SegregatingAllocator<RegionAllocator, SystemAllocator, 64>>

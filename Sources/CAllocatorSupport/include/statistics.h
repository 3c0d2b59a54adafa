// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_STATISTICS_H
#define ALLOCATOR_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "annotations.h"

// What an allocator knows of its memory, as it crosses the border between artifacts that may have been built apart. What each
// number means stands with the Swift type `AllocatorStatistics`. New members are added at the end.

#define ALLOCATOR_UNKNOWN ((int64_t)-1)

struct allocator_statistics {
  int64_t live_bytes;
  int64_t active_bytes;
  int64_t resident_bytes;
  int64_t mapped_bytes;
  int64_t retained_bytes;
  int64_t metadata_bytes;
  int64_t free_bytes;
  int64_t releasable_bytes;
  int64_t live_blocks;
  int64_t allocations;
  int64_t deallocations;
};

// One size class; see the Swift type `SizeClassStatistics`.
struct allocator_size_class {
  int64_t block_size;
  int64_t live_blocks;
  int64_t free_blocks;
  int64_t span_bytes;
};

// Fills the first `size` bytes of `statistics`: a caller that knows fewer members passes the size of its own, and members that
// this artifact does not know become ALLOCATOR_UNKNOWN. Returns 1 where the allocator behind the five functions can tell
// anything, else 0, and then all are unknown. Allocates nothing.
ALLOCATOR_LEAF int __swift_allocator_statistics(struct allocator_statistics *_Nonnull statistics, size_t size);

// Fills up to `capacity` size classes, the smallest first, and returns how many; 0 where the allocator cannot tell. Allocates
// nothing.
ALLOCATOR_LEAF size_t __swift_allocator_size_classes(struct allocator_size_class *_Nonnull classes, size_t capacity);

// glibc's own, whoever is malloc; see `glibc_statistics.c`.
ALLOCATOR_LEAF void allocator_glibc_statistics(struct allocator_statistics *_Nonnull statistics);
ALLOCATOR_LEAF size_t allocator_glibc_size_classes(struct allocator_size_class *_Nonnull classes, size_t capacity);

// Copies `value` to the caller's `size` bytes at `target`.
ALLOCATOR_LEAF void allocator_export_statistics(struct allocator_statistics value,
                                                struct allocator_statistics *_Nonnull target, size_t size);

#endif

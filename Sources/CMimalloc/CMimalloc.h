// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_MIMALLOC_H
#define C_MIMALLOC_H

#if !__has_include(<mimalloc.h>)
#error "mimalloc is not installed: apt-get install libmimalloc-dev"
#else

#include <mimalloc.h>
#include <stdbool.h>
#include <stddef.h>

// mimalloc's functions by its own names, declared once more to say that allocator code may call them (mimalloc neither calls the
// Swift runtime nor needs it).
#include "../CAllocatorSupport/include/annotations.h"
ALLOCATOR_LEAF void *mi_malloc(size_t size);
ALLOCATOR_LEAF void *mi_zalloc(size_t size);
ALLOCATOR_LEAF void *mi_realloc(void *p, size_t newsize);
ALLOCATOR_LEAF void *mi_expand(void *p, size_t newsize);
ALLOCATOR_LEAF void mi_free(void *p);
ALLOCATOR_LEAF void mi_free_size_aligned(void *p, size_t size, size_t alignment);
ALLOCATOR_LEAF void *mi_malloc_aligned(size_t size, size_t alignment);
ALLOCATOR_LEAF void *mi_zalloc_aligned(size_t size, size_t alignment);
ALLOCATOR_LEAF void *mi_realloc_aligned(void *p, size_t newsize, size_t alignment);
ALLOCATOR_LEAF size_t mi_usable_size(const void *p);
ALLOCATOR_LEAF size_t mi_good_size(size_t size);
ALLOCATOR_LEAF void mi_process_info(size_t *elapsed_msecs, size_t *user_msecs, size_t *system_msecs, size_t *current_rss,
                                   size_t *peak_rss, size_t *current_commit, size_t *peak_commit, size_t *page_faults);

// How long free pages wait before they go back to the system, in milliseconds; its name changed with version 2.1.
#if MI_MALLOC_VERSION >= 210
#define MIMALLOC_DELAY mi_option_purge_delay
#else
#define MIMALLOC_DELAY mi_option_decommit_delay
#endif

// mi_collect (true), which leaves to their delay what becomes free by it, without that delay.
ALLOCATOR_LEAF static inline void mimalloc_collect_at_once(void) {
  long delay = mi_option_get(MIMALLOC_DELAY);
  mi_option_set(MIMALLOC_DELAY, 0);
  mi_collect(true);
  mi_option_set(MIMALLOC_DELAY, delay);
}

#endif
#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CNestSupport.h"

NEST_CONSTANT const uint64_t nest_no_block_words[2] __attribute__((aligned(16)));
NEST_CONSTANT const uint64_t nest_empty_span[8] __attribute__((aligned(64))) = {(uint64_t)(uintptr_t)nest_no_block_words};
// A cache, of a page, begins with its bins, a pointer and a word each; see ThreadCache. None has room for a block. malloc looks into
// bin 0 alone, since that is where the table of zeros leads: so one pointer is enough, for which the dynamic
// linker writes to one page.
NEST_CONSTANT const uint64_t nest_empty_cache[512] __attribute__((aligned(64))) = {(uint64_t)(uintptr_t)nest_no_block_words};

// Eight classes to a doubling: `n` sixteenths and a multiple of `step` more make class `c` and those after it.
#define EIGHT_CLASSES(n, step, c)                                                                                              \
  [(n) + 1 ... (n) + (step)] = (c), [(n) + (step) + 1 ... (n) + 2 * (step)] = (c) + 1,                                         \
  [(n) + 2 * (step) + 1 ... (n) + 3 * (step)] = (c) + 2, [(n) + 3 * (step) + 1 ... (n) + 4 * (step)] = (c) + 3,                 \
  [(n) + 4 * (step) + 1 ... (n) + 5 * (step)] = (c) + 4, [(n) + 5 * (step) + 1 ... (n) + 6 * (step)] = (c) + 5,                 \
  [(n) + 6 * (step) + 1 ... (n) + 7 * (step)] = (c) + 6, [(n) + 7 * (step) + 1 ... (n) + 8 * (step)] = (c) + 7
NEST_CONSTANT const uint8_t nest_class_table[NEST_CLASS_TABLE_END / 16 + 1] __attribute__((aligned(64))) = {
    EIGHT_CLASSES(0, 1, 1),    EIGHT_CLASSES(8, 1, 9),     EIGHT_CLASSES(16, 2, 17),   EIGHT_CLASSES(32, 4, 25),
    EIGHT_CLASSES(64, 8, 33),  EIGHT_CLASSES(128, 16, 41), EIGHT_CLASSES(256, 32, 49), EIGHT_CLASSES(512, 64, 57),
};

uintptr_t *nest_root[NEST_ROOT_LEAVES] __attribute__((aligned(64)));
uintptr_t nest_chunk_cache[NEST_CACHED_CHUNKS] __attribute__((aligned(64)));

uint8_t nest_lock_storage[NEST_LOCKS][64] __attribute__((aligned(64)));
uint8_t nest_page_heap_storage[2048] __attribute__((aligned(64)));
uint8_t nest_huge_blocks_storage[256] __attribute__((aligned(64)));
uint8_t nest_heaps_storage[NEST_MOST_HEAPS][NEST_HEAP_BYTES] __attribute__((aligned(64)));
uint8_t nest_class_pages_storage[2048] __attribute__((aligned(64)));
uint8_t nest_reserved_spans_storage[1984] __attribute__((aligned(64)));
uint8_t nest_heap_table_storage[64] __attribute__((aligned(64)));
uint8_t nest_unreturned_ranges_storage[64] __attribute__((aligned(64)));

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Storage of the process-wide structures, and what the fast paths read without a call.

#ifndef C_NEST_STORAGE_H
#define C_NEST_STORAGE_H

#include "nest_sealed.h"
#include "nest_system.h"

// A thread's cache with no free block, a span with none, and the end of every list of blocks. Never written.
extern const uint64_t nest_empty_cache[] NEST_HIDDEN;
extern const uint64_t nest_empty_span[8] NEST_HIDDEN;
extern const uint64_t nest_no_block_words[2] NEST_HIDDEN;

// The number of the size class of 16 × index bytes, as SizeClass computes it (its invariants compare the two).
#define NEST_CLASS_TABLE_END 16384
extern const uint8_t nest_class_table[NEST_CLASS_TABLE_END / 16 + 1] NEST_HIDDEN;

// Zeroed storage; what is in it the Swift side says, and its invariants check the sizes.
// Those of NEST_LOCKS are in the order in which a thread takes them; each heap has one that comes before them all.
#define NEST_THREAD_CACHES_LOCK 0
#define NEST_PAGE_HEAP_LOCK 1
#define NEST_CLASS_PAGES_LOCK 2
#define NEST_HUGE_BLOCKS_LOCK 3
#define NEST_UNRETURNED_RANGES_LOCK 4
#define NEST_LOCKS 5
extern uint8_t nest_lock_storage[NEST_LOCKS][64] NEST_HIDDEN;
extern uint8_t nest_page_heap_storage[2048] NEST_HIDDEN;
// The heap of pages for blocks of classes, where these are separate; and what is reserved for each class.
extern uint8_t nest_class_pages_storage[2048] NEST_HIDDEN;
extern uint8_t nest_reserved_spans_storage[1984] NEST_HIDDEN;
extern uint8_t nest_huge_blocks_storage[256] NEST_HIDDEN;
// As many heaps as there can be processors that each have one.
#define NEST_MOST_HEAPS 64
#define NEST_HEAP_BYTES 3840
extern uint8_t nest_heaps_storage[NEST_MOST_HEAPS][NEST_HEAP_BYTES] NEST_HIDDEN;
extern uint8_t nest_heap_table_storage[64] NEST_HIDDEN;
extern uint8_t nest_unreturned_ranges_storage[64] NEST_HIDDEN;

ALLOCATOR_LEAF static inline void *_Nonnull nest_no_cache(void) { return (void *)nest_empty_cache; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_no_span(void) { return (void *)nest_empty_span; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_no_block(void) { return (void *)nest_no_block_words; }
ALLOCATOR_LEAF static inline uintptr_t nest_key(void) { return nest_sealed.secret; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_lock(int index) { return nest_lock_storage[index]; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_page_heap(void) { return nest_page_heap_storage; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_class_pages(void) { return nest_class_pages_storage; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_reserved_spans(void) { return nest_reserved_spans_storage; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_huge_blocks(void) { return nest_huge_blocks_storage; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_processor_heap(long index) { return nest_heaps_storage[index]; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_heap_table(void) { return nest_heap_table_storage; }
ALLOCATOR_LEAF static inline void *_Nonnull nest_unreturned_ranges(void) { return nest_unreturned_ranges_storage; }
ALLOCATOR_LEAF static inline long nest_class(unsigned long sixteenths) { return nest_class_table[sixteenths]; }

// MARK: What is where
//
// The address space is divided into cells of 4 MiB. A word for each says what begins there: nothing (0), a chunk (1), or huge
// blocks, of which it is the first one's record. The words lie in leaves of 32 GiB, mapped as they are needed. No memory of a
// leaf or of the root is touched that nothing lies near.

#define NEST_CHUNK_SHIFT 22
#define NEST_LEAF_SHIFT 35
#define NEST_LEAF_CELLS 8192
#define NEST_ROOT_LEAVES 8192
_Static_assert(NEST_LEAF_CELLS == 1 << (NEST_LEAF_SHIFT - NEST_CHUNK_SHIFT), "as many cells as a leaf covers");
_Static_assert(NEST_ROOT_LEAVES == 1 << (NEST_ADDRESS_BITS - NEST_LEAF_SHIFT), "as many leaves as there are addresses");
extern uintptr_t *_Nullable nest_root[NEST_ROOT_LEAVES] NEST_HIDDEN;

// The leaf of that number, or NULL.
ALLOCATOR_LEAF static inline uintptr_t *_Nullable nest_leaf(unsigned long index) {
  return index < NEST_ROOT_LEAVES ? __atomic_load_n(&nest_root[index], __ATOMIC_ACQUIRE) : NULL;
}
// The word of the cell in which `address` lies; NULL where there is no leaf, and nothing.
ALLOCATOR_LEAF static inline uintptr_t *_Nullable nest_cell(uintptr_t address) {
  uintptr_t *leaf = nest_leaf(address >> NEST_LEAF_SHIFT);
  return leaf ? leaf + (address >> NEST_CHUNK_SHIFT & (NEST_LEAF_CELLS - 1)) : NULL;
}
ALLOCATOR_LEAF static inline uintptr_t nest_cell_value(uintptr_t *_Nonnull cell) {
  return __atomic_load_n(cell, __ATOMIC_ACQUIRE);
}
ALLOCATOR_LEAF static inline void nest_set_cell(uintptr_t *_Nonnull cell, uintptr_t value) {
  __atomic_store_n(cell, value, __ATOMIC_RELEASE);
}
// Makes the cell of `address` one that has a word. 0 when memory is exhausted.
ALLOCATOR_LEAF int nest_make_cell(uintptr_t address);

// The fast path's answer: addresses of chunks, each in the place that its cell's number gives, the newest where two compete.
// It may lack a chunk, which only costs the way through the cells. 1 marks a place that had one; 0 is no chunk's address, but
// addresses near a null pointer's begin like that, so that nest_initialize writes 1 into the first place.
#define NEST_CACHED_CHUNKS 4096
extern uintptr_t nest_chunk_cache[NEST_CACHED_CHUNKS] NEST_HIDDEN;

// Whether the chunk at `base`, a multiple of 4 MiB, is known to be one without a look at its cell.
// Where one would expect an atomic load, none: the compiler would not make one instruction of it and the comparison.
ALLOCATOR_LEAF __attribute__((no_sanitize("thread"))) static inline int nest_is_cached_chunk(uintptr_t base) {
  return nest_chunk_cache[base >> NEST_CHUNK_SHIFT & (NEST_CACHED_CHUNKS - 1)] == base;
}
ALLOCATOR_LEAF static inline void nest_cache_chunk(uintptr_t base) {
  __atomic_store_n(&nest_chunk_cache[base >> NEST_CHUNK_SHIFT & (NEST_CACHED_CHUNKS - 1)], base, __ATOMIC_RELAXED);
}
ALLOCATOR_LEAF static inline void nest_uncache_chunk(uintptr_t base) {
  if (nest_is_cached_chunk(base))
    __atomic_store_n(&nest_chunk_cache[base >> NEST_CHUNK_SHIFT & (NEST_CACHED_CHUNKS - 1)], 1, __ATOMIC_RELAXED);
}

// MARK: Statistics

// Room for what a walk over all chunks adds up; what is in it the Swift side says.
struct nest_totals {
  uint64_t words[8 + 81 * 4];
};

// MARK: Code

// `*value`, read here and not later: the compiler moves no volatile load.
ALLOCATOR_LEAF static inline uint16_t nest_load_now(const uint16_t *_Nonnull value) { return *(const volatile uint16_t *)value; }

// `*value`, which another thread may be writing: whatever it is then.
ALLOCATOR_LEAF __attribute__((no_sanitize("thread"))) static inline uintptr_t nest_peek(const void *_Nonnull value) {
  return *(const volatile uintptr_t *)value;
}
ALLOCATOR_LEAF __attribute__((no_sanitize("thread"))) static inline uint8_t nest_peek_byte(const void *_Nonnull value) {
  return *(const volatile uint8_t *)value;
}
ALLOCATOR_LEAF __attribute__((no_sanitize("thread"))) static inline uint16_t nest_peek_half(const void *_Nonnull value) {
  return *(const volatile uint16_t *)value;
}

// Nothing, but behind a call that would otherwise be a jump.
ALLOCATOR_LEAF static inline void nest_keep_call(void) { __asm__ volatile(""); }

// MARK: Bytes

ALLOCATOR_LEAF static inline void nest_zero(void *_Nonnull address, size_t size) { __builtin_memset(address, 0, size); }

// Copies `size` bytes between blocks that do not overlap. Swift's own copy is a call into its library in a debug build,
// which a preloaded library does not have.
ALLOCATOR_LEAF static inline void nest_copy(void *_Nonnull target, const void *_Nonnull source, size_t size) {
  __builtin_memcpy(target, source, size);
}

#endif

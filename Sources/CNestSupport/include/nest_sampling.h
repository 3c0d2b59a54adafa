// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Sampled blocks: some blocks, of whichever flavour, each on a page of its own between two that cannot be touched. See SampledBlocks.

#ifndef C_NEST_SAMPLING_H
#define C_NEST_SAMPLING_H

#include "nest_hardened.h"

#define NEST_SAMPLE_SLOTS 64
#define NEST_SAMPLE_FRAMES 20

// What is known of a page for such a block. Written by who has made its state NEST_SLOT_BUSY.
struct nest_sample_slot {
  // Where the block begins, and bytes that it has.
  uintptr_t block;
  uint32_t size;
  // Of the enumeration below.
  uint32_t state;
  // Counts releases, so that the page that was released first is used first.
  uint64_t released_as;
  // The threads that have allocated and released it, as the kernel numbers them, and their return addresses, innermost first, 0 at the end.
  uint32_t threads[2];
  uintptr_t frames[2][NEST_SAMPLE_FRAMES];
};
enum { NEST_SLOT_EMPTY, NEST_SLOT_LIVE, NEST_SLOT_RELEASED, NEST_SLOT_BUSY };
extern struct nest_sample_slot nest_sample_slots[NEST_SAMPLE_SLOTS] NEST_HIDDEN;
ALLOCATOR_LEAF static inline struct nest_sample_slot *_Nonnull nest_sample_slot(long index) { return &nest_sample_slots[index]; }

// Of so many chances to sample, one is taken; 0 where nothing is sampled. Read on slow paths alone.
ALLOCATOR_LEAF static inline uint32_t nest_samples(void) { return __atomic_load_n(&nest_sealed.sample_interval, __ATOMIC_RELAXED); }
// Has blocks be sampled from now on, and lets a handler of SIGSEGV say what is known of a block that is touched when it may not be. What
// handled the signal before gets all others.
void nest_start_sampling(uint32_t interval);
// The same as the environment has it, NEST_SAMPLE=N, if Nest is the allocator of the process.
void nest_start_sampling_of_malloc(void);

// Where the pages are: the first of them cannot be touched, then each second one. NULL as long as there are none.
extern char *_Nullable nest_sample_pages NEST_HIDDEN;
ALLOCATOR_LEAF static inline char *_Nullable nest_sampled_pages(void) { return __atomic_load_n(&nest_sample_pages, __ATOMIC_ACQUIRE); }
// Sets them, unless they have been set. Whether it did.
ALLOCATOR_LEAF int nest_set_sample_pages(void *_Nonnull pages);

// Counts down, over all threads; whether this is the one in `nest_samples`.
ALLOCATOR_LEAF int nest_is_sample_due(void);
// Changes the state of a slot; 0 if it was another one.
ALLOCATOR_LEAF int nest_change_slot(struct nest_sample_slot *_Nonnull slot, uint32_t from, uint32_t to);
ALLOCATOR_LEAF uint32_t nest_slot_state(const struct nest_sample_slot *_Nonnull slot);
// Notes the calling thread and its stack: 0 of the allocation, 1 of the release. By frame pointers, which are read by the kernel: what is
// not one ends the stack. process_vm_readv(2).
ALLOCATOR_LEAF void nest_note_stack(struct nest_sample_slot *_Nonnull slot, int event);
ALLOCATOR_LEAF uint64_t nest_count_sample_release(void);

// Fills up to 16 bytes on either side of a block, as far as its page goes; and the address of the first of them that has changed, or 0.
ALLOCATOR_LEAF void nest_fill_around(const struct nest_sample_slot *_Nonnull slot);
ALLOCATOR_LEAF uintptr_t nest_changed_around(const struct nest_sample_slot *_Nonnull slot);

// Writes "nest: CAUSE, in a block of SIZE bytes, at byte OFFSET: ADDRESS", and who has allocated and released the block, and aborts.
ALLOCATOR_LEAF _Noreturn void nest_die_of_sample(const char *_Nonnull cause, const struct nest_sample_slot *_Nonnull slot,
                                                 uintptr_t address);

// Sets an entry of the table of a thread's cache, which may be another thread's.
ALLOCATOR_LEAF static inline void nest_set_table_entry(uint16_t *_Nonnull entry, uint16_t value) {
  __atomic_store_n(entry, value, __ATOMIC_RELAXED);
}
ALLOCATOR_LEAF static inline uint16_t nest_table_entry(const uint16_t *_Nonnull entry) { return __atomic_load_n(entry, __ATOMIC_RELAXED); }

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Between the files of the profile. Who calls whom:
//
//     an image's slot, or a jump of the program's allocator ──► hooks.c ──► allocation_scopes.c ──► samples.c ──► stacks.c
//                                                                 ▲
//     control.c ──► slots.c, jumps.c ─────────────────────────────┘   (start, stop, and the threads that look for new images)

#ifndef HEAP_PROFILE_INTERNAL_H
#define HEAP_PROFILE_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CAllocatorInsight.h"

// What a thread needs to count. Zero at its start, and never released: it lies in static thread-local storage.
struct profile_thread {
  // Bytes to the next sample.
  int64_t left;
  uint64_t random;
  // The profile that `left` was drawn for.
  uint32_t generation;
  // Whether the thread is in the profiler: a signal handler that allocates then passes.
  uint32_t is_busy;
  // The stack that it was on when its bounds were looked up.
  uintptr_t stack_low, stack_high;
  // The scope that the thread counts for, whatever its task; 0 for none.
  uint64_t scope;
  // The scope that it has counted for last, and its table there.
  uint64_t table_scope;
  struct scope_table *table;
};
extern _Thread_local struct profile_thread profile_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));

// The profile that runs, counted from 1; 0 for none.
extern uint32_t profile_generation __attribute__((visibility("hidden")));

// The same, and above it whether somebody counts in scopes: no thread has a generation with that bit, so that each call of each
// thread is then looked at, and a profile alone pays nothing for it.
enum { PROFILE_SCOPES = (int)0x80000000 };
extern uint32_t profile_attention __attribute__((visibility("hidden")));

// A bit for each hash of a sampled block's address: what is not in it needs no look at the table.
enum { PROFILE_FILTER_BITS = 16 };
extern uint64_t profile_filter[1 << (PROFILE_FILTER_BITS - 6)] __attribute__((visibility("hidden")));

static inline uint64_t profile_hash(uintptr_t address) { return (uint64_t)(address >> 4) * 0x9e3779b97f4a7c15u; }

static inline bool profile_may_be_sampled(const void *block) {
  uint64_t bit = profile_hash((uintptr_t)block) >> (64 - PROFILE_FILTER_BITS);
  return __atomic_load_n(&profile_filter[bit >> 6], __ATOMIC_RELAXED) >> (bit & 63) & 1;
}

// allocation_scopes.c

__attribute__((visibility("hidden"))) void profile_attend(void *block, size_t size, const uintptr_t *frame);
struct profile_released;
// These three under the profile's lock.
__attribute__((visibility("hidden"))) void profile_release_kept(uintptr_t address, struct profile_released *released);
__attribute__((visibility("hidden"))) void profile_take_back_kept(
  uintptr_t address, const struct profile_released *released);
__attribute__((visibility("hidden"))) void profile_filter_kept(void);
__attribute__((visibility("hidden"))) void profile_forget_scopes_in_child(void);

// control.c

// Counts who needs the slots to point at the hooks for scopes.
__attribute__((visibility("hidden"))) enum insight_profile_result profile_begin_scopes(void);
__attribute__((visibility("hidden"))) void profile_end_scopes(void);

// samples.c

// In how many scopes a block is followed, one within the other.
enum { PROFILE_MOST_KEPT = 4 };

struct profile_kept {
  uint64_t size, scope;
  uint32_t stack;
};

// What the tables know of a block that is released, so that it can be taken back.
struct profile_released {
  bool was_sampled;
  uint32_t kept_count;
  struct insight_live_block block;
  struct profile_kept kept[PROFILE_MOST_KEPT];
};

// Guards samples, live blocks and the filter. The thread is in the profiler meanwhile (`is_busy`).
__attribute__((visibility("hidden"))) void profile_take_lock(void);
__attribute__((visibility("hidden"))) void profile_give_lock(void);
// Under that lock.
__attribute__((visibility("hidden"))) void profile_change_filter(uintptr_t address, bool is_added);

__attribute__((visibility("hidden"))) void profile_count(void *block, size_t size, const uintptr_t *frame);
__attribute__((visibility("hidden"))) void profile_release(void *block, struct profile_released *released);
__attribute__((visibility("hidden"))) void profile_take_back(
  void *block, const struct profile_released *released);
__attribute__((visibility("hidden"))) bool profile_prepare_tables(int64_t interval);
__attribute__((visibility("hidden"))) void profile_forget_in_child(void);

// stacks.c

struct profile_range {
  uintptr_t low, high;
};

enum { PROFILE_MOST_RANGES = 2048 };

// Of which code the walk has to know; empty where it is not known.
struct profile_known_code {
  // Swift's concurrency, which calls jobs; and the C library, which calls main and the functions of threads.
  struct profile_range concurrency, libc;
};

// Takes over where code is.
__attribute__((visibility("hidden"))) struct profile_range *profile_ranges_to_fill(void);
__attribute__((visibility("hidden"))) void profile_publish_ranges(uint32_t count, struct profile_known_code known);
// Whether both are in one image's code.
__attribute__((visibility("hidden"))) bool profile_is_one_range(uintptr_t address, uintptr_t other);
__attribute__((visibility("hidden"))) uint32_t profile_walk(const uintptr_t *frame, uintptr_t *frames, uint32_t *physical);
extern int32_t profile_async_frames __attribute__((visibility("hidden")));

// hooks.c

struct profile_hook {
  const char *name;
  void *hook;
  // Where the real one is called from; null where there is none.
  void **real;
};
extern const struct profile_hook profile_hooks[] __attribute__((visibility("hidden")));
extern const uint32_t profile_hook_count __attribute__((visibility("hidden")));
// By the dynamic linker's symbols, for slots.
__attribute__((visibility("hidden"))) void profile_find_real_functions(void);

// jumps.c

// Whether the program's calls, and everybody else's, lead through jumps that can be written. Then no slot has to be.
__attribute__((visibility("hidden"))) bool profile_find_jumps(void);
// Has all of them lead to the hooks, or back. Returns how many; 0 where they cannot be written any more.
__attribute__((visibility("hidden"))) uint32_t profile_write_jumps(bool is_on);

// slots.c

struct profile_slots {
  uint32_t slots, images, refused, pending;
};

// Points all slots, or jumps, at the hooks, or back.
__attribute__((visibility("hidden"))) struct profile_slots profile_write_slots(bool is_on);
// As they were when they were written last; and whether malloc is the program's own.
__attribute__((visibility("hidden"))) struct profile_slots profile_current_slots(bool *has_malloc);

#endif

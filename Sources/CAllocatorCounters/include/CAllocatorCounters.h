// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_ALLOCATOR_COUNTERS_H
#define C_ALLOCATOR_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>

// The counters of the counting adapter: one set for the artifact, in C because a global atomic of Swift's is initialized
// when it is first used, which takes a lock.

#include "../../CAllocatorSupport/include/annotations.h"

enum allocator_counter : unsigned {
  ALLOCATOR_COUNTER_ALLOCATIONS,
  ALLOCATOR_COUNTER_REALLOCATIONS,
  ALLOCATOR_COUNTER_DEALLOCATIONS,
  ALLOCATOR_COUNTER_FAILURES,
  ALLOCATOR_COUNTER_BYTES,
  ALLOCATOR_COUNTER_COUNT
};

// Hidden: a library that counts for itself does not add to the counters of the program.
extern __attribute__((visibility("hidden"))) _Atomic(size_t) allocator_counters[ALLOCATOR_COUNTER_COUNT];

ALLOCATOR_LEAF static inline void allocator_counter_add(enum allocator_counter counter, size_t amount) {
  atomic_fetch_add_explicit(&allocator_counters[counter], amount, memory_order_relaxed);
}

ALLOCATOR_LEAF static inline size_t allocator_counter_value(enum allocator_counter counter) {
  return atomic_load_explicit(&allocator_counters[counter], memory_order_relaxed);
}

#endif

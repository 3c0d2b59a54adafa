// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_ALLOCATOR_LIMIT_H
#define C_ALLOCATOR_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The state of the limiting adapter: one for the artifact, in C because a global atomic of Swift's is initialized when it is first used,
// which takes a lock.

#include "../../CAllocatorSupport/include/annotations.h"

struct allocator_limit {
  // Bytes that live blocks take; never below 0.
  _Atomic(intptr_t) live;
  // Bytes that they may take at most.
  _Atomic(intptr_t) limit;
  // Requests that were refused since the flag was taken last.
  _Atomic(intptr_t) refused;
};

// Hidden: a library that has a limit for itself does not count for the program.
extern __attribute__((visibility("hidden"))) struct allocator_limit allocator_limit;

// Takes `size` bytes of what is left, or counts a refusal.
ALLOCATOR_LEAF static inline bool allocator_limit_charge(intptr_t size) {
  intptr_t live = atomic_load_explicit(&allocator_limit.live, memory_order_relaxed);
  do {
    intptr_t limit = atomic_load_explicit(&allocator_limit.limit, memory_order_relaxed);
    if (size > limit || live > limit - size) {
      atomic_fetch_add_explicit(&allocator_limit.refused, 1, memory_order_relaxed);
      return false;
    }
  } while (!atomic_compare_exchange_weak_explicit(&allocator_limit.live, &live, live + size, memory_order_relaxed,
                                                  memory_order_relaxed));
  return true;
}

// Gives `size` bytes back; takes more where that is negative, whatever the limit.
ALLOCATOR_LEAF static inline void allocator_limit_release(intptr_t size) {
  atomic_fetch_sub_explicit(&allocator_limit.live, size, memory_order_relaxed);
}

ALLOCATOR_LEAF static inline intptr_t allocator_limit_live(void) {
  return atomic_load_explicit(&allocator_limit.live, memory_order_relaxed);
}

ALLOCATOR_LEAF static inline intptr_t allocator_limit_bytes(void) {
  return atomic_load_explicit(&allocator_limit.limit, memory_order_relaxed);
}

ALLOCATOR_LEAF static inline void allocator_limit_set_bytes(intptr_t bytes) {
  atomic_store_explicit(&allocator_limit.limit, bytes, memory_order_relaxed);
}

ALLOCATOR_LEAF static inline intptr_t allocator_limit_take_refused(void) {
  return atomic_exchange_explicit(&allocator_limit.refused, 0, memory_order_relaxed);
}

#endif

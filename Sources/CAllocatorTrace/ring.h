// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_TRACE_RING_H
#define ALLOCATOR_TRACE_RING_H

#include "CAllocatorTrace.h"

static inline size_t trace_ring_size(size_t capacity) {
  return sizeof(struct allocator_trace_ring) + capacity * sizeof(struct allocator_trace_record);
}

// Of memory that is all zeros.
static inline void trace_ring_initialize(struct allocator_trace_ring *ring, size_t capacity, uint64_t wait_nanoseconds,
                                         bool has_times) {
  ring->version = ALLOCATOR_TRACE_RING_VERSION;
  ring->record_size = sizeof(struct allocator_trace_record);
  ring->capacity = capacity;
  ring->wait_nanoseconds = wait_nanoseconds;
  ring->has_times = has_times;
  for (size_t index = 0; index < capacity; index++)
    atomic_store_explicit(&ring->records[index].sequence, index, memory_order_relaxed);
  ring->magic = ALLOCATOR_TRACE_MAGIC;
}

#endif

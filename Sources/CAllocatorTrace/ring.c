// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The reading side: ordinary code.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CAllocatorTrace.h"
#include "ring.h"

int allocator_trace_memory_file(void) { return memfd_create("allocator-trace", MFD_CLOEXEC); }

struct allocator_trace_ring *allocator_trace_ring_create(size_t capacity, uint64_t wait_nanoseconds, bool has_times,
                                                         int *descriptor) {
  size_t size = trace_ring_size(capacity);
  *descriptor = allocator_trace_memory_file();
  if (*descriptor < 0) return NULL;
  void *memory = MAP_FAILED;
  if (ftruncate(*descriptor, (off_t)size) == 0)
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *descriptor, 0);
  if (memory == MAP_FAILED) {
    close(*descriptor);
    return NULL;
  }
  trace_ring_initialize(memory, capacity, wait_nanoseconds, has_times);
  return memory;
}

size_t allocator_trace_ring_read(struct allocator_trace_ring *ring, struct allocator_trace_record *records, size_t most,
                                 bool is_over) {
  uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
  size_t count = 0;
  for (; count < most && tail != head; tail++) {
    struct allocator_trace_record *record = &ring->records[tail & (ring->capacity - 1)];
    bool is_written = atomic_load_explicit(&record->sequence, memory_order_acquire) == tail + 1;
    if (!is_written && !is_over) break;
    if (is_written)
      memcpy(&records[count++], record, sizeof *record);
    else
      atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
    atomic_store_explicit(&record->sequence, tail + ring->capacity, memory_order_release);
  }
  atomic_store_explicit(&ring->tail, tail, memory_order_release);
  return count;
}

uint64_t allocator_trace_ring_lost(const struct allocator_trace_ring *ring) {
  return atomic_load_explicit(&ring->lost, memory_order_relaxed);
}

uint32_t allocator_trace_ring_programs(const struct allocator_trace_ring *ring) {
  return atomic_load_explicit(&ring->programs, memory_order_relaxed);
}

int32_t allocator_trace_ring_process(const struct allocator_trace_ring *ring) {
  return atomic_load_explicit(&ring->process, memory_order_relaxed);
}

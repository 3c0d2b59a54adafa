// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Aligned blocks on all threads: alignments of 32 bytes to a page, sizes from below the alignment to far above it, some
// plain ones between them, as vector code and buffers for input and output ask for them.

#include "shape.h"

enum { slot_count = 2000 };

static void *body(void *argument) {
  struct worker *worker = argument;
  struct random random = random_of_thread(worker->settings, worker->number);
  void *slots[slot_count] = {0};
  uint64_t sum = 0;
  for (size_t i = 0, end = scaled(worker->settings, 2.5e6); i < end; i++) {
    void **slot = &slots[random_below(&random, slot_count)];
    if (*slot != NULL) sum += block_end(*slot);
    // Never a power of two: mimalloc 2.0.9 misaligns some of those, which would leave it out of the comparison. What an
    // allocator does right is for tests to say.
    size_t size = random_magnitude(&random, 4, 13) | 8;
    if (random_below(&random, 4) == 0) {
      *slot = block_new(size, random_tag(&random));
      continue;
    }
    // The larger, the rarer.
    size_t alignment = (size_t)32 << (random_below(&random, 8) & random_below(&random, 8));
    void *block;
    if (posix_memalign(&block, alignment, size) != 0) shape_fail("posix_memalign failed");
    block = opaque(block);
    if ((uintptr_t)block % alignment != 0) shape_fail("posix_memalign returned a block that is not aligned");
    touch(block, size, random_tag(&random));
    *slot = block;
  }
  for (size_t k = 0; k < slot_count; k++)
    if (slots[k] != NULL) sum += block_end(slots[k]);
  worker->sum = sum;
  return NULL;
}

uint64_t shape_aligned(const struct settings *settings) {
  return run_workers(settings, settings->threads, body, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A mix of everything up to 16 KiB, on four threads for each processor: blocks that live for a moment, for a while, and until the
// end; some are resized; and one in eight is released by another thread than the one that allocated it.

#include "shape.h"

#include <stdatomic.h>

enum { slot_count = 1500, shared_count = 512 };

static void *body(void *argument) {
  struct worker *worker = argument;
  _Atomic(void *) *shared = worker->context;
  struct random random = random_of_thread(worker->settings, worker->number);
  void *slots[slot_count] = {0};
  size_t sizes[slot_count] = {0};
  for (size_t i = 0, end = scaled(worker->settings, 6e5); i < end; i++) {
    size_t size = random_below(&random, 3) == 0 ? random_magnitude(&random, 3, 14) : random_magnitude(&random, 4, 9);
    uint64_t tag = random_tag(&random);
    size_t kind = random_below(&random, 16);
    // Most die young: the few slots at the start are used as often as all others.
    size_t k = random_below(&random, kind % 2 ? slot_count : 64);
    if (kind < 2) {
      void *block = block_new(size, tag);
      block = atomic_exchange(&shared[random_below(&random, shared_count)], block);
      if (block != NULL) worker->sum += block_end(block);
    } else if (kind < 4 && slots[k] != NULL) {
      size += sizes[k];
      if (size > 16384) size = 16384;
      void *block = opaque(realloc(opaque(slots[k]), size));
      if (block == NULL) shape_fail("realloc returned NULL");
      ((char *)block)[size - 1] = size > 8 ? (char)tag : ((char *)block)[size - 1];
      slots[k] = block;
      sizes[k] = size;
    } else {
      if (slots[k] != NULL) worker->sum += block_end(slots[k]);
      slots[k] = block_new(size, tag);
      sizes[k] = size;
    }
  }
  for (size_t k = 0; k < slot_count; k++)
    if (slots[k] != NULL) worker->sum += block_end(slots[k]);
  return NULL;
}

uint64_t shape_mixture(const struct settings *settings) {
  static _Atomic(void *) shared[shared_count];
  uint64_t sum = run_workers(settings, 4 * settings->threads, body, shared);
  for (size_t k = 0; k < shared_count; k++) {
    void *block = atomic_load(&shared[k]);
    if (block != NULL) sum += block_end(block);
  }
  return sum;
}

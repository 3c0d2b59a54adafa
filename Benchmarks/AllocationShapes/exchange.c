// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// All threads allocate, exchange blocks with each other through a shared table, and release what they get: mostly small
// ones, few up to 64 KiB. No thread knows whose block it releases.

#include "shape.h"

#include <stdatomic.h>

enum { slot_count = 1 << 15 };

static void *body(void *argument) {
  struct worker *worker = argument;
  _Atomic(void *) *slots = worker->context;
  struct random random = random_of_thread(worker->settings, worker->number);
  for (size_t i = 0, end = scaled(worker->settings, 3e6); i < end; i++) {
    size_t kind = random_below(&random, 1000);
    size_t size = kind == 0   ? random_magnitude(&random, 12, 16)
                  : kind < 50 ? random_magnitude(&random, 8, 12)
                              : random_magnitude(&random, 3, 8);
    void *block = block_new(size, random_tag(&random));
    block = atomic_exchange(&slots[random_below(&random, slot_count)], block);
    if (block != NULL) worker->sum += block_end(block);
  }
  return NULL;
}

uint64_t shape_exchange(const struct settings *settings) {
  static _Atomic(void *) slots[slot_count];
  uint64_t sum = run_workers(settings, settings->threads, body, slots);
  for (size_t k = 0; k < slot_count; k++) {
    void *block = atomic_load(&slots[k]);
    if (block != NULL) sum += block_end(block);
  }
  return sum;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// False sharing: one thread allocates small neighbouring blocks and gives each to another thread, which releases it and
// goes on to allocate, write many times and release small blocks. Threads that are given parts of one cache line by the
// allocator slow each other down.

#include "shape.h"

static void *body(void *argument) {
  struct worker *worker = argument;
  void **given = worker->context;
  struct random random = random_of_thread(worker->settings, worker->number);
  worker->sum += block_end(given[worker->number]);
  for (size_t i = 0, end = scaled(worker->settings, 2.4e6); i < end; i++) {
    volatile uint64_t *block = block_new(8, random_tag(&random));
    for (int k = 0; k < 200; k++) *block = *block + 1;
    worker->sum += block_end((void *)block);
  }
  return NULL;
}

uint64_t shape_sharing(const struct settings *settings) {
  void *given[settings->threads];
  for (int i = 0; i < settings->threads; i++) given[i] = block_new(8, (uint64_t)i);
  return run_workers(settings, settings->threads, body, given);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Pareto-distributed sizes up to 1 KiB on all threads, each with its own blocks, which die in random order: the sizes that
// real programs are found to ask for.

#include "shape.h"

#include <math.h>

enum { slot_count = 60000, table_size = 4096 };

// sizes[u]: the size that the share u / table_size of all blocks are below.
static unsigned short sizes[table_size];

static void fill_sizes(void) {
  for (size_t i = 0; i < table_size; i++) {
    double share = ((double)i + 0.5) / table_size;
    double size = 12 / pow(1 - share, 1 / 1.1);
    sizes[i] = (unsigned short)(size > 1024 ? 1024 : size);
  }
}

static void *body(void *argument) {
  struct worker *worker = argument;
  struct random random = random_of_thread(worker->settings, worker->number);
  void **slots = block_new(slot_count * sizeof *slots, 0);
  uint64_t sum = 0;
  for (size_t k = 0; k < slot_count; k++) slots[k] = NULL;
  for (size_t i = 0, end = scaled(worker->settings, 8e6); i < end; i++) {
    void **slot = &slots[random_below(&random, slot_count)];
    if (*slot != NULL) sum += block_end(*slot);
    *slot = block_new(sizes[random_below(&random, table_size)], random_tag(&random));
  }
  for (size_t k = 0; k < slot_count; k++)
    if (slots[k] != NULL) sum += block_end(slots[k]);
  free(opaque(slots));
  worker->sum = sum;
  return NULL;
}

uint64_t shape_pareto(const struct settings *settings) {
  fill_sizes();
  return run_workers(settings, settings->threads, body, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Thread churn: threads start, allocate a little, leave half of it to the thread that started them, and end. What an
// allocator keeps for each thread has to be given to the next one.

#include "shape.h"

enum { block_count = 400 };

static void *body(void *argument) {
  struct worker *worker = argument;
  void **left = (void **)worker->context + worker->number * (block_count / 2);
  struct random random = random_of_thread(worker->settings, worker->number + (int)worker->settings->seed);
  void *own[block_count / 2];
  for (size_t k = 0; k < block_count / 2; k++) {
    own[k] = block_new(random_magnitude(&random, 4, 10), random_tag(&random));
    left[k] = block_new(random_magnitude(&random, 4, 10), random_tag(&random));
  }
  for (size_t k = 0; k < block_count / 2; k++) worker->sum += block_end(own[k]);
  return NULL;
}

uint64_t shape_churn(const struct settings *settings) {
  int at_once = 2 * settings->threads;
  size_t left_count = (size_t)at_once * (block_count / 2);
  // What two waves left: the older one is released while the newer one is still alive.
  void **left[2] = {block_new(left_count * sizeof(void *), 0), block_new(left_count * sizeof(void *), 0)};
  uint64_t sum = 0;
  size_t waves = scaled(settings, 1500);
  for (size_t wave = 0; wave < waves; wave++) {
    struct settings of_wave = *settings;
    of_wave.seed = settings->seed + wave * 7919;
    sum += run_workers(&of_wave, at_once, body, left[wave % 2]);
    if (wave == 0) continue;
    for (size_t k = 0; k < left_count; k++) sum += block_end(left[(wave + 1) % 2][k]);
  }
  for (size_t k = 0; k < left_count; k++) sum += block_end(left[(waves + 1) % 2][k]);
  free(opaque(left[0]));
  free(opaque(left[1]));
  return sum;
}

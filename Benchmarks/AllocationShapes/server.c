// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A server with bleeding between threads, after Larson and Krishnan, "Memory allocation for long-running server
// applications" (1998): every thread keeps many blocks and replaces them at random; after a while it ends, and a successor
// goes on with its blocks, so that threads release what others allocated.

#include "shape.h"

#include <pthread.h>

enum { slot_count = 10000, generations = 20 };

static void *body(void *argument) {
  struct worker *worker = argument;
  void **slots = worker->context;
  int thread = worker->number;
  // The generation is in the number too, so that each has random numbers of its own.
  struct random random = random_of_thread(worker->settings, thread);
  uint64_t sum = 0;
  for (size_t i = 0, end = scaled(worker->settings, 2.5e5); i < end; i++) {
    void **slot = &slots[random_below(&random, slot_count)];
    if (*slot != NULL) sum += block_end(*slot);
    *slot = block_new(8 + random_below(&random, 1000), random_tag(&random));
  }
  worker->sum = sum;
  return NULL;
}

// Each line of succession has a thread that waits for one generation and starts the next.
static void *line(void *argument) {
  struct worker *worker = argument;
  void **slots = block_new(slot_count * sizeof *slots, 0);
  for (size_t k = 0; k < slot_count; k++) slots[k] = NULL;
  for (int generation = 0; generation < generations; generation++) {
    struct worker member = {
        .settings = worker->settings, .number = worker->number * generations + generation, .context = slots};
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, &member) != 0) shape_fail("no thread could be created");
    pthread_join(thread, NULL);
    worker->sum += member.sum;
  }
  for (size_t k = 0; k < slot_count; k++)
    if (slots[k] != NULL) worker->sum += block_end(slots[k]);
  free(opaque(slots));
  return NULL;
}

uint64_t shape_server(const struct settings *settings) { return run_workers(settings, settings->threads, line, NULL); }

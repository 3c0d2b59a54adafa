// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Producers and consumers: half of the threads only allocate, the other half only release, and a queue of bounded length is
// between them. Every block is released by a thread that never allocates.

#include "shape.h"

#include <pthread.h>

enum { batch_size = 120, queue_length = 64 };

struct batch {
  uint64_t tag;
  void *blocks[batch_size];
};

struct queue {
  pthread_mutex_t mutex;
  pthread_cond_t not_empty, not_full;
  struct batch *batches[queue_length];
  size_t first, count;
  int producers;  // that have not ended
};

static void produce(struct worker *worker) {
  struct queue *queue = worker->context;
  struct random random = random_of_thread(worker->settings, worker->number);
  for (size_t i = 0, end = scaled(worker->settings, 5e4); i < end; i++) {
    struct batch *batch = block_new(sizeof *batch, 0);
    for (size_t k = 0; k < batch_size; k++)
      batch->blocks[k] = block_new(8 + random_below(&random, 184), random_tag(&random));
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == queue_length) pthread_cond_wait(&queue->not_full, &queue->mutex);
    queue->batches[(queue->first + queue->count++) % queue_length] = batch;
    pthread_cond_signal(&queue->not_empty);
    pthread_mutex_unlock(&queue->mutex);
  }
  pthread_mutex_lock(&queue->mutex);
  queue->producers--;
  pthread_cond_broadcast(&queue->not_empty);
  pthread_mutex_unlock(&queue->mutex);
}

static void consume(struct worker *worker) {
  struct queue *queue = worker->context;
  for (;;) {
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && queue->producers > 0) pthread_cond_wait(&queue->not_empty, &queue->mutex);
    if (queue->count == 0) {
      pthread_mutex_unlock(&queue->mutex);
      return;
    }
    struct batch *batch = queue->batches[queue->first];
    queue->first = (queue->first + 1) % queue_length;
    queue->count--;
    pthread_cond_signal(&queue->not_full);
    pthread_mutex_unlock(&queue->mutex);
    for (size_t k = 0; k < batch_size; k++) worker->sum += block_end(batch->blocks[k]);
    worker->sum += block_end(batch);
  }
}

static void *body(void *argument) {
  struct worker *worker = argument;
  // Even numbers produce: the last of an odd number of threads consumes.
  if (worker->number % 2 == 0 && worker->number + 1 < worker->settings->threads) produce(worker);
  else consume(worker);
  return NULL;
}

uint64_t shape_producer(const struct settings *settings) {
  struct queue queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                        .not_empty = PTHREAD_COND_INITIALIZER,
                        .not_full = PTHREAD_COND_INITIALIZER,
                        .producers = settings->threads / 2};
  return run_workers(settings, settings->threads, body, &queue);
}

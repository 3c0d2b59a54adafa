// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Objects that are handed on while threads come and go, as tasks are between workers: each thread lives for a few thousand
// objects, hands most of what it makes to others, and releases what it is handed, saying the size, as C++ programs and Swift do.

#define _GNU_SOURCE
#include "shape.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

enum { lines = 64, generations = 300, most_size = 400, most_waiting = 1000 };

struct object {
  uint64_t tag;
  struct object *next;
  size_t size;
};

struct relay {
  _Atomic(struct object *) boxes[lines];
  // About how many wait there, so that the memory does not depend on who runs when.
  _Atomic int waiting[lines];
  int line_count;
};

// C23's name, and what the libraries have for it that do not have that; free where there is none.
static void (*release_sized)(void *, size_t);
static void (*release_with_flags)(void *, size_t, int);

static void release(void *object, size_t size) {
  if (release_sized) release_sized(opaque(object), size);
  else if (release_with_flags) release_with_flags(opaque(object), size, 0);
  else free(opaque(object));
}

static void find_release(void) {
  static const char *const names[] = {"free_sized", "tc_free_sized", "mi_free_size"};
  for (size_t i = 0; i < sizeof names / sizeof *names && !release_sized; i++)
    *(void **)&release_sized = dlsym(RTLD_DEFAULT, names[i]);
  if (!release_sized) *(void **)&release_with_flags = dlsym(RTLD_DEFAULT, "sdallocx");
}

static uint64_t release_all(struct object *object) {
  uint64_t sum = 0;
  while (object) {
    struct object *next = object->next;
    sum += object->tag;
    release(object, object->size);
    object = next;
  }
  return sum;
}

static void hand_on(struct relay *relay, struct object *object, size_t line) {
  atomic_fetch_add_explicit(&relay->waiting[line], 1, memory_order_relaxed);
  object->next = atomic_load_explicit(&relay->boxes[line], memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(&relay->boxes[line], &object->next, object, memory_order_release,
                                                memory_order_relaxed)) {}
}

static void *body(void *argument) {
  struct worker *worker = argument;
  struct relay *relay = worker->context;
  struct random random = random_of_thread(worker->settings, worker->number);
  size_t own = (size_t)(worker->number / generations);
  struct object *kept = NULL;
  for (size_t i = 0, end = scaled(worker->settings, 8000); i < end; i++) {
    size_t size = sizeof(struct object) + random_below(&random, most_size);
    struct object *object = block_new(size, random_tag(&random));
    object->size = size;
    size_t line = random_below(&random, (size_t)relay->line_count);
    if (i % 4 == 0 || atomic_load_explicit(&relay->waiting[line], memory_order_relaxed) >= most_waiting) {
      object->next = kept;
      kept = object;
    } else {
      hand_on(relay, object, line);
    }
    if (i % 64 == 0) {
      atomic_store_explicit(&relay->waiting[own], 0, memory_order_relaxed);
      worker->sum += release_all(atomic_exchange_explicit(&relay->boxes[own], NULL, memory_order_acquire));
    }
  }
  worker->sum += release_all(kept);
  return NULL;
}

static void *line(void *argument) {
  struct worker *worker = argument;
  for (int generation = 0; generation < generations; generation++) {
    struct worker member = *worker;
    member.number = worker->number * generations + generation;
    member.sum = 0;
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, &member) != 0) shape_fail("no thread could be created");
    pthread_join(thread, NULL);
    worker->sum += member.sum;
  }
  return NULL;
}

uint64_t shape_relay(const struct settings *settings) {
  static struct relay relay;
  find_release();
  relay.line_count = settings->threads < lines ? settings->threads : lines;
  uint64_t sum = run_workers(settings, relay.line_count, line, &relay);
  for (int i = 0; i < relay.line_count; i++) sum += release_all(atomic_load(&relay.boxes[i]));
  return sum;
}

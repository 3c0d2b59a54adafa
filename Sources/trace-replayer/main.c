// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Makes the calls of a plan on whichever allocator answers malloc, and tells how long that took and how much memory was in use
// meanwhile: a program of its own in C, so that it allocates nothing but what the plan says.
//
//     trace-replayer PLAN
//
// `ReplayPlan` of the Swift module AllocationTrace writes the plan, and has checked it. Its layout, in native words:
//
//     head: magic, threads, slots, samples, operations
//     threads + 1 numbers: where each thread's operations begin, and the end of the last one's
//     samples × threads numbers: how many operations of the thread come before the sample
//     operations: see struct operation
//
// What is the replayer's own (the plan, the table of blocks) is shared memory, which the kernel does not count as anonymous: so the
// anonymous pages are those of the allocator, of the blocks, and, from the beginning, a few of libc and of the threads' stacks.
//
// Blocks are written to: the first word, and a byte on each page. A trace does not know what the program wrote.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PLAN_MAGIC 0x314e414c50434c41ull // "ALCPLAN1"

enum kind { ALLOCATE = 1, ALLOCATE_ZEROED, DEALLOCATE, REALLOCATE };

struct operation {
  uint32_t slot;
  // How many operations on the slot come before, by whichever threads.
  uint32_t turn;
  // Bits 0 to 47: bytes; 48 to 55: the binary logarithm of the alignment; 56 to 63: the kind.
  uint64_t call;
};

struct slot {
  _Atomic(uint32_t) turn;
  uint64_t size;
  char *block;
};

struct plan {
  uint64_t magic, threads, slots, samples, operations;
  uint64_t words[];
};

static const struct plan *plan;
static const uint64_t *starts, *samples;
static const struct operation *operations;
static struct slot *slots;

static pthread_barrier_t barrier;
// Nanoseconds in which operations ran, KiB of anonymous memory at each sample; written by thread 0 between two barriers.
static uint64_t running, resumed;
static long long *anonymous;
static _Atomic(uint64_t) calls[5];

static void die(const char *what) {
  fprintf(stderr, "trace-replayer: %s: %s\n", what, strerror(errno));
  exit(71);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// KiB of anonymous pages that are in memory, exactly: the counters of /proc/self/status are batched. -1 where nothing tells.
static long long anonymous_memory(void) {
  static const char *const files[] = {"/proc/self/smaps_rollup", "/proc/self/status"};
  static const char *const names[] = {"\nAnonymous:", "\nRssAnon:"};
  for (int index = 0; index < 2; index++) {
    char text[4096];
    int file = open(files[index], O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    text[count > 0 ? count : 0] = 0;
    const char *found = strstr(text, names[index]);
    if (found) return strtoll(found + strlen(names[index]), NULL, 10);
  }
  return -1;
}

static void touch(char *block, uint64_t from, uint64_t size) {
  if (size >= 8 && from == 0) *(volatile uint64_t *)block = (uint64_t)block;
  else if (size > 0 && from == 0) *(volatile char *)block = 1;
  uintptr_t page = 4096, end = (uintptr_t)block + size;
  for (uintptr_t at = ((uintptr_t)block + from + page - 1) & -page; at < end; at += page) *(volatile char *)at = 1;
}

static void wait_for_turn(const struct slot *slot, uint32_t turn) {
  for (int attempt = 0; atomic_load_explicit(&slot->turn, memory_order_acquire) != turn; attempt++)
    if (attempt > 100) sched_yield();
}

static char *allocate(uint64_t size, unsigned alignment, bool is_zeroed) {
  if (alignment <= 4) return is_zeroed ? calloc(1, size) : malloc(size);
  void *block = NULL;
  if (posix_memalign(&block, (size_t)1 << alignment, size) != 0) return NULL;
  if (is_zeroed) memset(block, 0, size);
  return block;
}

static void run(const struct operation *operation, uint64_t *counts) {
  struct slot *slot = &slots[operation->slot];
  wait_for_turn(slot, operation->turn);
  uint64_t size = operation->call & 0xffffffffffffull;
  unsigned alignment = operation->call >> 48 & 0xff;
  enum kind kind = operation->call >> 56;
  counts[kind]++;
  switch (kind) {
    case ALLOCATE:
    case ALLOCATE_ZEROED:
      slot->block = allocate(size, alignment, kind == ALLOCATE_ZEROED);
      if (!slot->block) die("no memory");
      touch(slot->block, 0, size);
      break;
    case DEALLOCATE:
      free(slot->block);
      break;
    case REALLOCATE: {
      // realloc (pointer, 0) would release the block.
      char *moved = NULL;
      if (alignment <= 4) {
        moved = realloc(slot->block, size ? size : 1);
      } else if ((moved = allocate(size, alignment, false))) {
        memcpy(moved, slot->block, size < slot->size ? size : slot->size);
        free(slot->block);
      }
      if (!moved) die("no memory");
      touch(moved, slot->size, size);
      slot->block = moved;
      break;
    }
  }
  slot->size = size;
  atomic_store_explicit(&slot->turn, operation->turn + 1, memory_order_release);
}

// All threads stand still, so that what is measured is the memory after exactly the same calls under each allocator.
static void sample(uint64_t thread, uint64_t index) {
  pthread_barrier_wait(&barrier);
  if (thread == 0) {
    uint64_t end = now();
    running += end - resumed;
    anonymous[index] = anonymous_memory();
    resumed = now();
  }
  pthread_barrier_wait(&barrier);
}

static void *run_thread(void *argument) {
  uint64_t thread = (uint64_t)argument, next = starts[thread], counts[5] = {0};
  pthread_barrier_wait(&barrier);
  if (thread == 0) {
    anonymous[plan->samples] = anonymous_memory();
    resumed = now();
  }
  pthread_barrier_wait(&barrier);
  for (uint64_t index = 0; index < plan->samples; index++) {
    uint64_t end = starts[thread] + samples[index * plan->threads + thread];
    while (next < end) run(&operations[next++], counts);
    sample(thread, index);
  }
  for (int kind = 1; kind < 5; kind++) atomic_fetch_add(&calls[kind], counts[kind]);
  return NULL;
}

static void *map(size_t size) {
  void *memory = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  return memory;
}

static void print(const char *name, long long value) {
  char line[80];
  int length = snprintf(line, sizeof line, "%s %lld\n", name, value);
  if (write(1, line, (size_t)length) != length) _exit(74);
}

int main(int count, char **arguments) {
  struct stat status;
  int file = count == 2 ? open(arguments[1], O_RDONLY | O_CLOEXEC) : (errno = EINVAL, -1);
  if (file < 0 || fstat(file, &status) != 0) die("plan");
  if ((size_t)status.st_size < sizeof *plan) die("plan");
  plan = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  if (plan == MAP_FAILED) die("plan");
  close(file);
  if (plan->magic != PLAN_MAGIC) die("plan");
  starts = plan->words;
  samples = starts + plan->threads + 1;
  operations = (const struct operation *)(samples + plan->samples * plan->threads);
  slots = map(plan->slots * sizeof *slots);
  anonymous = map((plan->samples + 1) * sizeof *anonymous);
  if (pthread_barrier_init(&barrier, NULL, (unsigned)plan->threads) != 0) die("barrier");
  // The first thread is this one: a program of one thread is replayed by one.
  for (uint64_t thread = 1; thread < plan->threads; thread++) {
    pthread_t made;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 16);
    if ((errno = pthread_create(&made, &small, run_thread, (void *)thread)) != 0) die("thread");
    pthread_detach(made);
  }
  run_thread(NULL);
  // The last sample stands after all operations of all threads; their counts follow.
  uint64_t done = 0;
  while (done != plan->operations) {
    done = 0;
    for (int kind = 1; kind < 5; kind++) done += atomic_load(&calls[kind]);
    sched_yield();
  }
  print("nanoseconds", (long long)running);
  print("begin", anonymous[plan->samples]);
  for (uint64_t index = 0; index < plan->samples; index++) print("sample", anonymous[index]);
  print("allocate", (long long)calls[ALLOCATE]);
  print("allocateZeroed", (long long)calls[ALLOCATE_ZEROED]);
  print("deallocate", (long long)calls[DEALLOCATE]);
  print("reallocate", (long long)calls[REALLOCATE]);
  return 0;
}

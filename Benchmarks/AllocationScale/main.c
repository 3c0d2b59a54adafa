// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Figures of a service that never ends: what is resident after a load, how long a thread is held up, and what a call costs as
// heap and threads grow.
//
//     AllocationScale ROW        prints the row's figures, a line each: the label, a tab and the number
//     AllocationScale --list
//
// Uses only the standard functions, so that a library that is loaded before it may replace them. Pauses are processor time of
// the thread, so that a busy machine does not count.

#define _GNU_SOURCE

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double mebibyte = 1 << 20;

static void fail(const char *message) {
  fprintf(stderr, "AllocationScale: %s\n", message);
  exit(1);
}

static void print(const char *label, double value) { printf("%s\t%.3f\n", label, value); }

// Bytes, by smaps_rollup: exact, where the counters of /proc/self/statm are batched.
static double resident(void) {
  char line[256];
  long kibibytes = -1;
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  if (!file) fail("there is no /proc/self/smaps_rollup");
  while (kibibytes < 0 && fgets(line, sizeof line, file)) sscanf(line, "Rss: %ld", &kibibytes);
  fclose(file);
  if (kibibytes < 0) fail("/proc/self/smaps_rollup does not say Rss");
  return kibibytes * 1024.0;
}

static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static void *new_block(size_t size, size_t touched) {
  char *block = malloc(size);
  if (!block) fail("malloc returned NULL");
  for (size_t offset = 0; offset < touched; offset += 4096) block[offset] = 1;
  return block;
}

static void sleep_for(double seconds) {
  struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

// MARK: What is resident

static void big_block(void) {
  void *block = new_block((size_t)512 << 20, (size_t)512 << 20);
  void *small[64] = {0};
  free(block);
  for (int round = 0; round < 200; round++) {
    for (int i = 0; i < 64; i++) {
      free(small[i]);
      small[i] = new_block(100 + (size_t)i, 1);
    }
    sleep_for(0.01);
  }
  print("512 MiB block released, 2 s later, MiB", resident() / mebibyte);
}

enum { dropped_bytes = 200 << 20, mean_size = 516 };

struct dropper {
  void **blocks;
  long count;
  uint32_t random;
};

static pthread_barrier_t barrier;

static void *drop(void *argument) {
  struct dropper *dropper = argument;
  for (long i = 0; i < dropper->count; i++) {
    size_t size = 16 + next_random(&dropper->random) % 1000;
    dropper->blocks[i] = new_block(size, 1);
    memset(dropper->blocks[i], 1, size);
  }
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  for (long i = 0; i < dropper->count; i++) {
    if (next_random(&dropper->random) % 20 == 0) continue;
    free(dropper->blocks[i]);
    dropper->blocks[i] = NULL;
  }
  pthread_barrier_wait(&barrier);
  // The threads stay, idle.
  pthread_barrier_wait(&barrier);
  return NULL;
}

static int compare_pages(const void *a, const void *b) {
  uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
  return x < y ? -1 : x > y;
}

// Bytes of pages in which a block lies.
static double live_pages(struct dropper *droppers, int threads, uintptr_t *pages) {
  size_t count = 0, different = 0;
  for (int t = 0; t < threads; t++) {
    for (long i = 0; i < droppers[t].count; i++) {
      if (!droppers[t].blocks[i]) continue;
      uintptr_t block = (uintptr_t)droppers[t].blocks[i];
      pages[count++] = block >> 12;
      uintptr_t last = (block + malloc_usable_size(droppers[t].blocks[i]) - 1) >> 12;
      if (last != block >> 12) pages[count++] = last;
    }
  }
  qsort(pages, count, sizeof *pages, compare_pages);
  for (size_t i = 0; i < count; i++) different += i == 0 || pages[i] != pages[i - 1];
  return (double)different * 4096;
}

static void drop_at_random(int threads) {
  long count = dropped_bytes / mean_size / threads;
  struct dropper *droppers = calloc((size_t)threads, sizeof *droppers);
  pthread_t *ids = calloc((size_t)threads, sizeof *ids);
  uintptr_t *pages = calloc((size_t)(2 * count * threads), sizeof *pages);
  if (!droppers || !ids || !pages) fail("calloc returned NULL");
  pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
  for (int t = 0; t < threads; t++) {
    droppers[t] = (struct dropper){calloc((size_t)count, sizeof(void *)), count, (uint32_t)t * 7 + 1};
    // Touched now, so that these pages are resident all the time.
    memset(droppers[t].blocks, 0, (size_t)count * sizeof(void *));
    if (pthread_create(ids + t, NULL, drop, droppers + t) != 0) fail("no thread could be created");
  }
  pthread_barrier_wait(&barrier);
  double peak = resident();
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  sleep_for(2);
  double later = resident();
  malloc_trim(0);
  double trimmed = resident();
  double own = (double)count * threads * sizeof(void *);
  double live = live_pages(droppers, threads, pages);
  char label[100];
  snprintf(label, sizeof label, "%d threads, 200 MiB, peak MiB", threads);
  print(label, peak / mebibyte);
  snprintf(label, sizeof label, "%d threads, 95 %% dropped, 2 s later, MiB", threads);
  print(label, later / mebibyte);
  snprintf(label, sizeof label, "%d threads, after malloc_trim, MiB", threads);
  print(label, trimmed / mebibyte);
  snprintf(label, sizeof label, "%d threads, 2 s later, over pages with a live block", threads);
  print(label, (later - own) / live);
  pthread_barrier_wait(&barrier);
  for (int t = 0; t < threads; t++) pthread_join(ids[t], NULL);
}

static void drop_2(void) { drop_at_random(2); }
static void drop_64(void) { drop_at_random(64); }

static void *idle(void *argument) {
  (void)argument;
  void *blocks[40];
  for (size_t i = 0; i < 40; i++) blocks[i] = new_block(16 + 24 * i, 1);
  for (size_t i = 0; i < 40; i++) free(blocks[i]);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return NULL;
}

static void idle_threads(void) {
  enum { count = 1000 };
  static pthread_t ids[count];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_barrier_init(&barrier, NULL, count + 1);
  double before = resident();
  for (int i = 0; i < count; i++) {
    if (pthread_create(ids + i, &attributes, idle, NULL) != 0) fail("no thread could be created");
  }
  pthread_barrier_wait(&barrier);
  print("1,000 idle threads, KiB each, with the stack", (resident() - before) / 1024 / count);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < count; i++) pthread_join(ids[i], NULL);
}

// MARK: Pauses

static void free_pause(void) {
  enum { size = 3000, count = (512 << 20) / size };
  static void *blocks[count];
  for (int i = 0; i < count; i++) blocks[i] = new_block(size, size);
  double longest = 0;
  for (int i = 0; i < count; i++) {
    double before = processor_time();
    free(blocks[i]);
    double time = processor_time() - before;
    if (time > longest) longest = time;
  }
  print("longest free while 512 MiB are dropped, ms", longest * 1e3);
}

static int is_dropped;

static void *drop_cache(void *argument) {
  void **blocks = argument;
  for (int i = 0; blocks[i]; i++) free(blocks[i]);
  __atomic_store_n(&is_dropped, 1, __ATOMIC_RELEASE);
  return NULL;
}

static void other_pause(void) {
  enum { size = 3000, count = (512 << 20) / size };
  static void *blocks[count + 1];
  for (int i = 0; i < count; i++) blocks[i] = new_block(size, size);
  pthread_t id;
  if (pthread_create(&id, NULL, drop_cache, blocks) != 0) fail("no thread could be created");
  double longest = 0;
  uint32_t random = 1;
  while (!__atomic_load_n(&is_dropped, __ATOMIC_ACQUIRE)) {
    double before = processor_time();
    free(new_block(16 + next_random(&random) % 100000, 1));
    double time = processor_time() - before;
    if (time > longest) longest = time;
  }
  pthread_join(id, NULL);
  print("a thread's longest malloc and free meanwhile, ms", longest * 1e3);
}

// MARK: Growth

// Blocks of 100 KiB, where all holes are of 40 KiB.
static void holes(size_t heap, const char *label) {
  size_t count = heap / (40 << 10);
  void **blocks = calloc(count, sizeof *blocks);
  if (!blocks) fail("calloc returned NULL");
  for (size_t i = 0; i < count; i++) blocks[i] = new_block(40 << 10, 1);
  for (size_t i = 0; i < count; i += 2) free(blocks[i]);
  enum { rounds = 20000, kept = 64 };
  void *large[kept] = {0};
  double before = processor_time();
  for (int i = 0; i < rounds; i++) {
    free(large[i % kept]);
    large[i % kept] = new_block(100 << 10, 1);
  }
  print(label, (processor_time() - before) * 1e6 / rounds);
}

static void holes_256(void) { holes((size_t)256 << 20, "100 KiB among holes of 40 KiB, heap of 256 MiB, us"); }
static void holes_16384(void) { holes((size_t)16 << 30, "100 KiB among holes of 40 KiB, heap of 16 GiB, us"); }

static void sparse(void) {
  enum { rounds = 20000, kept = 16 };
  void *blocks[kept] = {0};
  uint32_t random = 1;
  double before = processor_time();
  for (int i = 0; i < rounds; i++) {
    free(blocks[i % kept]);
    blocks[i % kept] = new_block((1100 << 10) + next_random(&random) % (200 << 10), 1);
  }
  print("block of 1.2 MB of which 4 KiB are used, us", (processor_time() - before) * 1e6 / rounds);
}

static const struct {
  const char *name;
  void (*function)(void);
} rows[] = {
    {"big-block", big_block},   {"drop-2", drop_2},         {"drop-64", drop_64},     {"idle-threads", idle_threads},
    {"free-pause", free_pause}, {"other-pause", other_pause}, {"holes-256", holes_256}, {"holes-16384", holes_16384},
    {"sparse", sparse},
};

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: AllocationScale ROW | --list\n", stderr);
    return 64;
  }
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (strcmp(argv[1], "--list") == 0) puts(rows[i].name);
    if (strcmp(argv[1], rows[i].name) == 0) {
      rows[i].function();
      return 0;
    }
  }
  if (strcmp(argv[1], "--list") == 0) return 0;
  fprintf(stderr, "AllocationScale: there is no row %s\n", argv[1]);
  return 64;
}

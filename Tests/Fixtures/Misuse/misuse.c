// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// One misuse of malloc per run, for any allocator: `misuse NAME` exits with 0 when it ran through undetected, and `misuse`
// alone lists the cases, a line each: the name and the kind. Kinds are what an allocator can promise to find:
//
//     double-free       free of a block that is free
//     foreign           free of what never was a block
//     interior          free of a pointer into, before or behind a block
//     not-yet-given     free of what will be a block later
//     realloc           all of these pointers given to realloc
//     size              what never was a block given to malloc_usable_size
//     stale-size        a pointer to a free block, or into one, given to malloc_usable_size
//     race              two threads release a block at the same time: it may take many tries to find one
//     write-after-free  overflow  underflow  read-after-free
//
// Before the call that breaks the rules, its pointer is printed. After it, the program goes on to allocate and release:
// an allocator may find a misuse late.

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

// MARK: Sizes, and blocks around the block

typedef struct {
  const char *name;
  size_t bytes;
} Size;

// A block of a size class, one of several pages, one that glibc maps, and one that every allocator maps.
static const Size sizes[] = {{"small", 40}, {"medium", 3000}, {"large", 200000}, {"huge", 8000000}};
enum { small, medium, large, huge, size_count };

// What a case gets: a size, and a number whose meaning is the case's own.
typedef struct {
  size_t bytes;
  long number;
} Parameters;

enum { neighbor_count = 16 };
static char *neighbors[neighbor_count];

// A block with its ends filled.
static char *block(size_t bytes) {
  char *p = malloc(bytes);
  if (p == NULL) exit(3);
  size_t filled = bytes < 4096 ? bytes : 4096;
  memset(p, 'x', filled);
  memset(p + bytes - filled, 'x', filled);
  return p;
}

static void allocate_neighbors(size_t bytes) {
  for (int i = 0; i < neighbor_count; i++) neighbors[i] = block(bytes);
}

// The neighbor that begins next above `p`, or NULL.
static char **next_above(char *p) {
  char **next = NULL;
  for (int i = 0; i < neighbor_count; i++)
    if (neighbors[i] > p && (next == NULL || neighbors[i] < *next)) next = &neighbors[i];
  return next;
}

// Prints the pointer that is about to be misused, without allocating.
static char *misused(void *p) {
  char line[32];
  int length = snprintf(line, sizeof line, "%p\n", p);
  if (write(STDOUT_FILENO, line, length) != length) exit(3);
  return p;
}

// Allocates and releases: blocks of the size, and of others.
static void churn(size_t bytes) {
  static const size_t others[] = {16, 100, 1000, 10000, 100000};
  enum { count = 300 };
  static void *some[count];
  int blocks = bytes > 100000 ? 20 : count;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < blocks; i++) some[i] = block(bytes);
    for (int i = 0; i < blocks; i++) free(some[i]);
    for (int i = 0; i < count; i++) some[i] = malloc(others[i % 5]);
    for (int i = 0; i < count; i++) free(some[i]);
  }
}

// MARK: Threads

static void *free_in_thread(void *p) {
  free(p);
  return NULL;
}

static void *free_twice_in_thread(void *p) {
  free(p);
  free(p);
  return NULL;
}

static void in_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, body, argument) != 0) exit(3);
  pthread_join(thread, NULL);
}

static pthread_barrier_t barrier;

static void *free_and_wait(void *p) {
  free(p);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  churn(100);
  return NULL;
}

// MARK: Double free

static void free_twice(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  free(misused(p));
}

static void free_twice_aligned(Parameters c) {
  char *p = memalign(c.number, c.bytes);
  free(p);
  free(misused(p));
}

// `number` others are released after it.
static void free_twice_with_others_between(Parameters c) {
  char *p = block(c.bytes);
  allocate_neighbors(c.bytes);
  free(p);
  for (int i = 0; i < c.number; i++) free(neighbors[i]);
  free(misused(p));
}

// It is in the middle of a list by then.
static void free_twice_amid_others(Parameters c) {
  allocate_neighbors(c.bytes);
  for (int i = 0; i < neighbor_count; i++) free(neighbors[i]);
  free(misused(neighbors[neighbor_count / 2]));
}

static void free_twice_much_later(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  churn(c.bytes);
  free(misused(p));
}

static void free_again_after_ended_thread(Parameters c) {
  char *p = block(c.bytes);
  in_thread(free_in_thread, p);
  free(misused(p));
}

static void free_again_after_living_thread(Parameters c) {
  char *p = block(c.bytes);
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_t thread;
  if (pthread_create(&thread, NULL, free_and_wait, p) != 0) exit(3);
  pthread_barrier_wait(&barrier);
  free(misused(p));
  churn(c.bytes);
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
}

static char *for_waiting_thread;

static void *wait_and_free(void *unused) {
  pthread_barrier_wait(&barrier);
  free(for_waiting_thread);
  return unused;
}

// The thread is there before: what is allocated for a new one could be the block.
static void free_again_by_thread(Parameters c) {
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_t thread;
  if (pthread_create(&thread, NULL, wait_and_free, NULL) != 0) exit(3);
  for_waiting_thread = block(c.bytes);
  free(for_waiting_thread);
  misused(for_waiting_thread);
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
}

static void free_twice_by_thread(Parameters c) { in_thread(free_twice_in_thread, misused(block(c.bytes))); }

static void free_by_two_threads(Parameters c) {
  char *p = block(c.bytes);
  in_thread(free_in_thread, p);
  in_thread(free_in_thread, misused(p));
}

// The two wait for each other without a lock, so that they are as close as can be.
enum { race_count = 20000 };
static void *race_blocks[race_count];
static int race_arrivals[race_count];

static void *race(void *unused) {
  for (int i = 0; i < race_count; i++) {
    __atomic_add_fetch(&race_arrivals[i], 1, __ATOMIC_SEQ_CST);
    for (int spins = 0; __atomic_load_n(&race_arrivals[i], __ATOMIC_SEQ_CST) < 2 && spins < 100000; spins++) {}
    free(race_blocks[i]);
  }
  return unused;
}

static void free_in_a_race(Parameters c) {
  for (int i = 0; i < race_count; i++) race_blocks[i] = malloc(c.bytes);
  misused(race_blocks[0]);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, race, NULL) != 0) exit(3);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

static void free_old_block_of_realloc(Parameters c) {
  char *p = block(c.bytes);
  char *behind = block(c.bytes);
  char *moved = realloc(p, c.bytes * 4);
  // Where it has not moved there is no misuse yet.
  if (moved == p) free(moved);
  free(misused(p));
  free(behind);
}

// The second free is of a block that the allocator has given out again; the third is of a free one.
static void free_thrice_with_recycling(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  char *recycled = block(c.bytes);
  free(p);
  free(misused(recycled));
}

// MARK: Pointers that are no blocks

static char bytes_of_program[4096] __attribute__((aligned(64)));
static _Thread_local char bytes_of_thread[256] __attribute__((aligned(64)));

enum { stack, stack_block, global, thread_local, text, low, not_canonical, top, mapped, unmapped, heap_end };
static const char *const places[] = {"stack",         "stack-like-block", "global", "thread-local", "text",    "low",
                                     "not-canonical", "top",              "mapped", "unmapped",     "heap-end"};

static char *map_pages(void) {
  char *pages = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) exit(3);
  return pages;
}

// A pointer to `place`; `frame` is memory of the caller's stack.
static void *foreign(long place, char *frame) {
  block(100);
  memset(frame, 0, 512);
  switch (place) {
    case stack: return frame + 64;
    case stack_block:
      // What glibc has in front of a block of 48 bytes and of the one behind it.
      ((size_t *)(frame + 64))[-1] = 0x41;
      ((size_t *)(frame + 128))[-1] = 0x41;
      return frame + 64;
    case global: return bytes_of_program + 64;
    case thread_local: return bytes_of_thread + 64;
    case text: return (void *)((uintptr_t)&foreign & ~(uintptr_t)15);
    case low: return (void *)0x1000;
    case not_canonical: return (void *)0x4141414141414140;
    case top: return (void *)(UINTPTR_MAX - 15);
    case mapped: return map_pages() + 4096;
    case heap_end: return (void *)(((uintptr_t)sbrk(0) & ~(uintptr_t)15) - 64);
    default: break;
  }
  char *pages = map_pages();
  munmap(pages, 1 << 16);
  return pages + 4096;
}

static void free_foreign(Parameters c) {
  char frame[512] __attribute__((aligned(64)));
  free(misused(foreign(c.number, frame)));
}

static void realloc_foreign(Parameters c) {
  char frame[512] __attribute__((aligned(64)));
  free(realloc(misused(foreign(c.number, frame)), 100));
}

static void measure_foreign(Parameters c) {
  char frame[512] __attribute__((aligned(64)));
  malloc_usable_size(misused(foreign(c.number, frame)));
}

// MARK: Pointers into blocks

static void free_at_offset(Parameters c) {
  char *p = block(c.bytes);
  memset(p, 0, c.bytes);
  free(misused(p + c.number));
}

static void realloc_at_offset(Parameters c) {
  char *p = block(c.bytes);
  memset(p, 0, c.bytes);
  free(realloc(misused(p + c.number), c.bytes * 2));
}

static void measure_at_offset(Parameters c) {
  char *p = block(c.bytes);
  memset(p, 0, c.bytes);
  malloc_usable_size(misused(p + c.number));
}

static void free_middle(Parameters c) { free_at_offset((Parameters){c.bytes, (long)(c.bytes / 2) & -16}); }

static void free_one_past(Parameters c) {
  char *p = block(c.bytes);
  free(misused(p + malloc_usable_size(p)));
}

// Where a block of the size has not been yet, but may come to be.
static void free_not_yet_given(Parameters c) {
  char *p = block(c.bytes);
  free(misused(p + (malloc_usable_size(p) & -16) * c.number));
}

static void realloc_after_free(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  free(realloc(misused(p), c.bytes * c.number));
}

static void measure_after_free(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  malloc_usable_size(misused(p));
}

// MARK: Writes and reads where none belongs

// Through a volatile pointer, so that each is made, and a byte at a time.
static void overwrite(volatile char *p, size_t count, char byte) {
  for (size_t i = 0; i < count; i++) p[i] = byte;
}

enum { offset_half = -1, offset_last = -2 };

static size_t offset(Parameters c) {
  if (c.number == offset_half) return c.bytes / 2 & ~(size_t)7;
  return c.number == offset_last ? c.bytes - 8 : (size_t)c.number;
}

static void write_after_free(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  overwrite(misused(p) + offset(c), 8, 'A');
}

static void write_after_free_amid_others(Parameters c) {
  allocate_neighbors(c.bytes);
  for (int i = 0; i < neighbor_count; i++) free(neighbors[i]);
  overwrite(misused(neighbors[neighbor_count / 2]) + offset(c), 8, 'A');
}

static void write_after_free_by_thread(Parameters c) {
  char *p = block(c.bytes);
  in_thread(free_in_thread, p);
  overwrite(misused(p) + offset(c), 8, 'A');
}

static void write_after_realloc(Parameters c) {
  char *p = block(c.bytes);
  char *behind = block(c.bytes);
  char *moved = realloc(p, c.bytes * 4);
  if (moved == p) free(moved);
  overwrite(misused(p), 8, 'A');
  free(behind);
}

static void release_neighbors(void) {
  for (int i = 0; i < neighbor_count; i++) free(neighbors[i]);
}

// `number` bytes behind what the allocator says the block holds; the next block is live.
static void overflow_with(Parameters c, char byte) {
  allocate_neighbors(c.bytes);
  char *p = neighbors[neighbor_count / 2];
  overwrite(misused(p + malloc_usable_size(p)), c.number, byte);
  release_neighbors();
}

static void overflow(Parameters c) { overflow_with(c, 'A'); }

static void overflow_by_zeros(Parameters c) { overflow_with(c, 0); }

static void overflow_into_free(Parameters c) {
  allocate_neighbors(c.bytes);
  char *p = neighbors[neighbor_count / 2];
  char **next = next_above(p);
  if (next != NULL) {
    free(*next);
    *next = NULL;
  }
  overwrite(misused(p + malloc_usable_size(p)), c.number, 'A');
  release_neighbors();
}

static void underflow(Parameters c) {
  allocate_neighbors(c.bytes);
  char *p = neighbors[neighbor_count / 2];
  overwrite(misused(p) - c.number, c.number, 'A');
  release_neighbors();
}

static void read_after_free(Parameters c) {
  char *p = block(c.bytes);
  free(p);
  volatile char *read = misused(p);
  (void)read[c.bytes / 2];
}

// MARK: The table

typedef struct {
  const char *name, *kind;
  void (*body)(Parameters);
  // As bits: the sizes with which it is run, or 0 for a case that has none.
  unsigned sizes;
  // What is appended to the name, and the number.
  const char *variant;
  long number;
} Case;

#define ONLY(size) (1u << (size))
#define BLOCKS (ONLY(small) | ONLY(medium))
#define ALL (BLOCKS | ONLY(large) | ONLY(huge))

static const Case cases[] = {
    {"double-free", "double-free", free_twice, ALL, "", 0},
    {"double-free-aligned", "double-free", free_twice_aligned, ALL, "-256", 256},
    {"double-free-aligned", "double-free", free_twice_aligned, ALL, "-64K", 65536},
    {"double-free-others-between", "double-free", free_twice_with_others_between, ALL, "-1", 1},
    {"double-free-others-between", "double-free", free_twice_with_others_between, ALL, "-16", 16},
    {"double-free-amid-others", "double-free", free_twice_amid_others, ALL, "", 0},
    {"double-free-much-later", "double-free", free_twice_much_later, ALL, "", 0},
    {"double-free-after-ended-thread", "double-free", free_again_after_ended_thread, ALL, "", 0},
    {"double-free-after-living-thread", "double-free", free_again_after_living_thread, ALL, "", 0},
    {"double-free-by-thread", "double-free", free_again_by_thread, ALL, "", 0},
    {"double-free-twice-by-thread", "double-free", free_twice_by_thread, ALL, "", 0},
    {"double-free-two-threads", "double-free", free_by_two_threads, ALL, "", 0},
    {"double-free-old-block-of-realloc", "double-free", free_old_block_of_realloc, ALL, "", 0},
    {"double-free-in-a-race", "race", free_in_a_race, BLOCKS, "", 0},
    {"double-free-recycled", "double-free", free_thrice_with_recycling, ALL, "", 0},

    // One case for each place.
    {"free", "foreign", free_foreign, 0, NULL, heap_end},
    {"realloc", "realloc", realloc_foreign, 0, NULL, heap_end},
    {"usable-size", "size", measure_foreign, 0, NULL, heap_end},

    {"free-middle", "interior", free_middle, ALL, "", 0},
    {"free-offset", "interior", free_at_offset, ALL, "-1", 1},
    {"free-offset", "interior", free_at_offset, ALL, "-8", 8},
    {"free-offset", "interior", free_at_offset, ALL, "-16", 16},
    {"free-offset", "interior", free_at_offset, ONLY(large) | ONLY(huge), "-64K", 65536},
    {"free-before", "interior", free_at_offset, ALL, "-16", -16},
    {"free-one-past", "interior", free_one_past, ALL, "", 0},
    {"free-not-yet-given", "not-yet-given", free_not_yet_given, BLOCKS, "", 5},
    {"realloc-offset", "realloc", realloc_at_offset, ALL, "-1", 1},
    {"realloc-offset", "realloc", realloc_at_offset, ALL, "-16", 16},
    {"realloc-after-free", "realloc", realloc_after_free, ALL, "-same", 1},
    {"realloc-after-free", "realloc", realloc_after_free, ALL, "-larger", 4},
    {"usable-size-offset", "stale-size", measure_at_offset, ALL, "-1", 1},
    {"usable-size-offset", "stale-size", measure_at_offset, ALL, "-16", 16},
    {"usable-size-after-free", "stale-size", measure_after_free, ALL, "", 0},

    {"write-after-free", "write-after-free", write_after_free, ALL, "-at-0", 0},
    {"write-after-free", "write-after-free", write_after_free, ALL, "-at-8", 8},
    {"write-after-free", "write-after-free", write_after_free, ALL, "-at-16", 16},
    {"write-after-free", "write-after-free", write_after_free, ALL, "-at-half", offset_half},
    {"write-after-free", "write-after-free", write_after_free, ALL, "-at-last", offset_last},
    {"write-after-free-amid-others", "write-after-free", write_after_free_amid_others, BLOCKS, "-at-0", 0},
    {"write-after-free-amid-others", "write-after-free", write_after_free_amid_others, BLOCKS, "-at-8", 8},
    {"write-after-free-by-thread", "write-after-free", write_after_free_by_thread, BLOCKS, "-at-0", 0},
    {"write-after-free-by-thread", "write-after-free", write_after_free_by_thread, BLOCKS, "-at-8", 8},
    {"write-after-realloc", "write-after-free", write_after_realloc, ALL, "", 0},

    {"overflow", "overflow", overflow, ALL, "-by-1", 1},
    {"overflow", "overflow", overflow, ALL, "-by-8", 8},
    {"overflow", "overflow", overflow, ALL, "-by-16", 16},
    {"overflow", "overflow", overflow, ALL, "-by-100", 100},
    {"overflow", "overflow", overflow, ALL, "-by-5000", 5000},
    {"overflow-by-zeros", "overflow", overflow_by_zeros, ALL, "-1", 1},
    {"overflow-by-zeros", "overflow", overflow_by_zeros, ALL, "-16", 16},
    {"overflow-into-free", "overflow", overflow_into_free, ALL, "-by-8", 8},
    {"overflow-into-free", "overflow", overflow_into_free, ALL, "-by-16", 16},
    {"underflow", "underflow", underflow, ALL, "-by-1", 1},
    {"underflow", "underflow", underflow, ALL, "-by-8", 8},
    {"underflow", "underflow", underflow, ALL, "-by-16", 16},
    {"read-after-free", "read-after-free", read_after_free, ALL, "", 0},
};

static void run(const Case *c, size_t bytes, long number) {
  c->body((Parameters){bytes, number});
  churn(bytes != 0 ? bytes : 100);
  // What was put aside in a thread's name comes home when the next threads take over.
  for (int i = 0; i < 2; i++) in_thread(free_in_thread, block(bytes != 0 ? bytes : 100));
  exit(0);
}

// Lists the case when `wanted` is NULL, and runs it when it is its name.
static void visit(const Case *c, const char *wanted, const char *variant, const char *size, size_t bytes, long number) {
  char name[96];
  snprintf(name, sizeof name, "%s%s%s%s%s", c->name, variant[0] == '-' || !variant[0] ? "" : "-", variant,
           size[0] ? "-" : "", size);
  if (wanted == NULL) printf("%s %s\n", name, c->kind);
  if (wanted != NULL && strcmp(wanted, name) == 0) run(c, bytes, number);
}

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : NULL;
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // An allocator whose lists have become circles may never return: SIGXCPU or SIGALRM tells that from what was found.
  const struct rlimit two_seconds = {2, 3};
  setrlimit(RLIMIT_CPU, &two_seconds);
  alarm(10);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const Case *c = &cases[i];
    if (c->variant == NULL)
      for (long place = 0; place <= c->number; place++) visit(c, wanted, places[place], "", 0, place);
    for (int size = 0; size < size_count; size++)
      if (c->sizes & ONLY(size)) visit(c, wanted, c->variant, sizes[size].name, sizes[size].bytes, c->number);
  }
  return wanted == NULL ? 0 : 2;
}

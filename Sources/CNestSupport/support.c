// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#define _GNU_SOURCE

#include "CNestSupport.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// MARK: Storage

// A heap begins with its bins, two words each; see ThreadHeap. All are empty, and have no room for a block.
#define BINS 81
#define NO_BIN (uint64_t)(uintptr_t)nest_no_block_words, 0

const uint64_t nest_no_block_words[2] __attribute__((aligned(16)));
const uint64_t nest_empty_span[8] __attribute__((aligned(64))) = {(uint64_t)(uintptr_t)nest_no_block_words};
// The words of a pointer are stored as integers, which the linker can relocate.
#define NO_BINS_9 NO_BIN, NO_BIN, NO_BIN, NO_BIN, NO_BIN, NO_BIN, NO_BIN, NO_BIN, NO_BIN
const uint64_t nest_empty_heap[2 * BINS] __attribute__((aligned(64))) = {
    NO_BINS_9, NO_BINS_9, NO_BINS_9, NO_BINS_9, NO_BINS_9, NO_BINS_9, NO_BINS_9, NO_BINS_9, NO_BINS_9,
};

// Eight classes to a doubling: `n` sixteenths and a multiple of `step` more make class `c` and those after it.
#define EIGHT_CLASSES(n, step, c)                                                                                              \
  [(n) + 1 ... (n) + (step)] = (c), [(n) + (step) + 1 ... (n) + 2 * (step)] = (c) + 1,                                         \
  [(n) + 2 * (step) + 1 ... (n) + 3 * (step)] = (c) + 2, [(n) + 3 * (step) + 1 ... (n) + 4 * (step)] = (c) + 3,                 \
  [(n) + 4 * (step) + 1 ... (n) + 5 * (step)] = (c) + 4, [(n) + 5 * (step) + 1 ... (n) + 6 * (step)] = (c) + 5,                 \
  [(n) + 6 * (step) + 1 ... (n) + 7 * (step)] = (c) + 6, [(n) + 7 * (step) + 1 ... (n) + 8 * (step)] = (c) + 7
const uint8_t nest_class_table[NEST_CLASS_TABLE_END / 16 + 1] __attribute__((aligned(64))) = {
    EIGHT_CLASSES(0, 1, 1),    EIGHT_CLASSES(8, 1, 9),     EIGHT_CLASSES(16, 2, 17),   EIGHT_CLASSES(32, 4, 25),
    EIGHT_CLASSES(64, 8, 33),  EIGHT_CLASSES(128, 16, 41), EIGHT_CLASSES(256, 32, 49), EIGHT_CLASSES(512, 64, 57),
};

_Thread_local void *nest_thread_heap __attribute__((tls_model("initial-exec"))) = (void *)nest_empty_heap;
_Thread_local int nest_thread_ended __attribute__((tls_model("initial-exec")));

uint8_t nest_chunk_map[1ul << (NEST_ADDRESS_BITS - NEST_CHUNK_SHIFT)];
uint8_t nest_page_heap_storage[512] __attribute__((aligned(64)));
uint8_t nest_mappings_storage[1216] __attribute__((aligned(64)));
uint8_t nest_heap_pool_storage[64] __attribute__((aligned(64)));
uint8_t nest_fork_storage[8];
uint8_t nest_lock_storage[3][64] __attribute__((aligned(64)));
uintptr_t nest_secret;

// MARK: The system

static long mappings_until_failure = -1;
static long failures_left;

void nest_fail_mappings(long nth, long count) {
  __atomic_store_n(&failures_left, count, __ATOMIC_RELAXED);
  __atomic_store_n(&mappings_until_failure, nth, __ATOMIC_RELAXED);
}

static int must_fail(void) {
  if (__builtin_expect(__atomic_load_n(&mappings_until_failure, __ATOMIC_RELAXED) < 0, 1)) return 0;
  if (__atomic_fetch_sub(&mappings_until_failure, 1, __ATOMIC_RELAXED) > 0) return 0;
  if (__atomic_fetch_sub(&failures_left, 1, __ATOMIC_RELAXED) <= 0) return 0;
  __atomic_store_n(&mappings_until_failure, 0, __ATOMIC_RELAXED);
  return 1;
}

static size_t page_size;

size_t nest_page_size(void) {
  size_t size = __atomic_load_n(&page_size, __ATOMIC_RELAXED);
  if (size == 0) {
    size = getauxval(AT_PAGESZ);
    __atomic_store_n(&page_size, size, __ATOMIC_RELAXED);
  }
  return size;
}

void nest_set_page_size(size_t size) { __atomic_store_n(&page_size, size, __ATOMIC_RELAXED); }

void *nest_map(void *hint, size_t size) {
  if (must_fail()) return NULL;
  int error = errno;
  void *address = mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  // The request may still be served in another way, and success leaves errno alone.
  errno = error;
  return address == MAP_FAILED ? NULL : address;
}

void *nest_remap(void *address, size_t size, size_t new_size, int may_move) {
  int error = errno;
  if (must_fail()) return NULL;
  void *result = mremap(address, size, new_size, may_move ? MREMAP_MAYMOVE : 0);
  if (result != MAP_FAILED) return result;
  errno = error;
  return NULL;
}

void nest_unmap(void *address, size_t size) {
  int error = errno;
  munmap(address, size);
  errno = error;
}

void nest_set_exhausted(void) { errno = ENOMEM; }

int nest_purge(void *address, size_t size) {
  int error = errno;
  // Whole pages only, as the system itself has it.
  size_t rest = ((uintptr_t)address | size) & (nest_page_size() - 1);
  int done = rest == 0 && madvise(address, size, MADV_DONTNEED) == 0;
  errno = error;
  return done;
}

// Whether all of it is in one mapping: only then does the system get as far as finding that it cannot become that long.
static int is_one_mapping(char *address, size_t size) {
  return mremap(address, size, 1ul << 46, 0) == MAP_FAILED && errno != EFAULT;
}

// Bytes at the start of a range that are in one mapping.
static size_t size_of_first_mapping(char *address, size_t size) {
  if (is_one_mapping(address, size)) return size;
  size_t page = nest_page_size(), least = 0, most = size / page;
  while (most - least > 1) {
    size_t middle = least + (most - least) / 2;
    if (is_one_mapping(address, middle * page)) least = middle; else most = middle;
  }
  return least * page;
}

struct nest_move nest_move_pages(uintptr_t source, size_t size, uintptr_t target, size_t least) {
  int error = errno;
  struct nest_move move = {0, 0, 0};
  while (move.used < size && move.lost == 0 && !must_fail()) {
    char *from = (char *)source + move.used, *to = (char *)target + move.moved;
    size_t piece = size_of_first_mapping(from, size - move.used);
    if (piece == 0) break;
    if (piece < least) {
      munmap(from, piece);
      move.used += piece;
    } else if (mremap(from, piece, piece, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) {
      move.used += piece;
      move.moved += piece;
    } else {
      move.lost = piece;
    }
  }
  errno = error;
  return move;
}

int64_t nest_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void nest_wait(void *word, uint32_t value) {
  int error = errno;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL);
  errno = error;
}

void nest_wake(void *word) {
  int error = errno;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
  errno = error;
}

// MARK: Threads

static pthread_key_t thread_key;
static int thread_key_state;  // 0 not made, 1 being made, 2 made

static void thread_ends(void *heap) {
  (void)heap;
  nest_thread_exit();
}

void nest_initialize(void) {
  if (__atomic_load_n(&nest_secret, __ATOMIC_ACQUIRE) == 0) {
    // 16 bytes that the kernel drew at random for this process.
    const uint64_t *random = (const uint64_t *)getauxval(AT_RANDOM);
    uint64_t secret = random ? (random[0] * 0x9e3779b97f4a7c15u) ^ random[1] : 0x9e3779b97f4a7c15u;
    uintptr_t none = 0;
    __atomic_compare_exchange_n(&nest_secret, &none, secret | 1ul << 63, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  }
}

void nest_watch_thread(void *heap) {
  int none = 0;
  if (__atomic_compare_exchange_n(&thread_key_state, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    int made = pthread_key_create(&thread_key, thread_ends) == 0;
    __atomic_store_n(&thread_key_state, made ? 2 : 0, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&thread_key_state, __ATOMIC_ACQUIRE) == 1) nest_pause();
  if (__atomic_load_n(&thread_key_state, __ATOMIC_ACQUIRE) == 2) pthread_setspecific(thread_key, heap);
}

__attribute__((constructor(101))) static void watch_forks(void) {
  pthread_atfork(nest_before_fork, nest_after_fork_in_parent, nest_after_fork_in_child);
}

// MARK: Misuse

void nest_die(const char *cause, uintptr_t address) {
  char line[256];
  size_t length = 0;
  for (const char *c = "nest: "; *c; c++) line[length++] = *c;
  for (const char *c = cause; *c && length < sizeof line - 24; c++) line[length++] = *c;
  for (const char *c = ": 0x"; *c; c++) line[length++] = *c;
  int shift = 60;
  while (shift > 0 && (address >> shift & 15) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) line[length++] = "0123456789abcdef"[address >> shift & 15];
  line[length++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, length);
  (void)written;
  abort();
}

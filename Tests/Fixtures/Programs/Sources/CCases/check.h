// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Says what does not hold, and ends the process.
#define CHECK(condition, ...)                                          \
  do {                                                                 \
    if (!(condition)) {                                                \
      dprintf(2, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition); \
      dprintf(2, __VA_ARGS__);                                         \
      dprintf(2, "\n");                                                \
      _exit(1);                                                        \
    }                                                                  \
  } while (0)

// Hides a value from the optimizer, which knows malloc and its kin, and would not call them.
static inline void *opaque(void *pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}
static inline size_t opaque_size(size_t size) {
  __asm__ volatile("" : "+r"(size));
  return size;
}

// A byte of a pattern that depends on the block and the place in it.
static inline unsigned char pattern(size_t seed, size_t index) {
  return (unsigned char)((seed * 31 + index * 7 + (index >> 8)) ^ 0x5a);
}

// Whether the environment has SHORT_CASES: then a case does each thing less often, and does not look for what shows only after
// many times.
int is_short(void);

// How often something is to be done that is the likelier to fail the more often it is: `full`, or a twentieth of it.
int rounds(int full);

void case_functions(void);
void case_alignment(void);
void case_huge(void);
void case_products(void);
void case_errno(void);
void case_zero(void);
void case_calloc(void);
void case_realloc(void);
void case_statistics(void);
void case_no_statistics(void);
void case_trim(void);
void case_no_trim(void);
void case_out_of_memory(void);
void case_thread_destructors(void);
void case_threads(void);
void case_busy_fork(void);
void case_fork_in_handler(void);
void case_vfork(void);
void case_exit(void);
void case_early(void);
void case_dlopen(void);
void case_fork_handlers(void);
void case_fork_streams(void);
void case_fork_in_fork(void);
void case_fork_in_malloc_with_threads(void);
void case_plain_fork(void);
void case_hooks(void);
void case_no_mremap(void);
void case_no_munmap(void);
void case_no_madvise(void);
void case_no_mprotect(void);
void case_no_mmap(void);
void case_strict_sandbox(void);
void case_map_limit(void);
void case_locked(void);
void case_scarce(void);
void case_big_block(void);

#endif

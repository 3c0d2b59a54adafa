// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// One misuse of a block per run, many times over: of one that is sampled, it is found. `sampled MISUSE SIZE COUNT` exits with 0 when it ran
// through undetected. What allocates, releases and misuses are functions of these names, so that a stack can be told by them.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *volatile block;

__attribute__((noinline)) void allocate_it(size_t size) {
  block = malloc(size);
  memset(block, 'x', size);
}

__attribute__((noinline)) void release_it(void) {
  free(block);
  __asm__ volatile("");
}

__attribute__((noinline)) void misuse_it(const char *misuse, size_t size) {
  volatile char byte = 0;
  if (strcmp(misuse, "read-after-release") == 0) byte = block[size / 2];
  if (strcmp(misuse, "write-after-release") == 0) block[size / 2] = 'A';
  if (strcmp(misuse, "release-twice") == 0) free(block);
  if (strcmp(misuse, "release-inside") == 0) free(block + 16);
  if (strcmp(misuse, "resize-after-release") == 0) block = realloc(block, size * 2);
  if (strcmp(misuse, "measure-after-release") == 0) byte = (char)malloc_usable_size(block);
  // What the allocator says it holds, and to the next multiple of 16, so that a block that ends its page is met.
  if (strcmp(misuse, "overflow") == 0) block[(malloc_usable_size(block) + 15) / 16 * 16] = 'A';
  if (strcmp(misuse, "underflow") == 0) byte = block[-1];
  (void)byte;
}

// Whether a walk over all live blocks meets as many of some that are left alive.
static int are_met(size_t size) {
  struct {
    uintptr_t address;
    size_t size, word_count;
    uintptr_t words[3];
  } found[64];
  uintptr_t walk[4] = {0};
  long (*read)(void *, void *, size_t) = (long (*)(void *, void *, size_t))dlsym(RTLD_DEFAULT, "__swift_allocator_walk_blocks");
  static char *kept[100];
  for (int i = 0; i < 100; i++) kept[i] = malloc(size);
  int met = 0;
  for (long count; (count = read(walk, found, 64)) > 0;) {
    for (long i = 0; i < count; i++) {
      for (int j = 0; j < 100; j++) met += found[i].address == (uintptr_t)kept[j] && found[i].size >= size;
    }
  }
  return met == 100;
}

int main(int argc, char **argv) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (argc < 4) return 2;
  const char *misuse = argv[1];
  size_t size = strtoul(argv[2], NULL, 10);
  if (strcmp(misuse, "walk") == 0) return !are_met(size);
  int is_of_live = strcmp(misuse, "overflow") == 0 || strcmp(misuse, "underflow") == 0 || strcmp(misuse, "release-inside") == 0;
  for (long count = strtol(argv[3], NULL, 10); count > 0; count--) {
    allocate_it(size);
    if (strcmp(misuse, "nothing") == 0) {
      // Some stay, and some are resized.
      if (count % 3 == 0) block = realloc(block, size + (size_t)(count % 7) * 100);
      if (count % 5 != 0) release_it();
    } else if (is_of_live) {
      misuse_it(misuse, size);
      release_it();
    } else {
      release_it();
      misuse_it(misuse, size);
    }
  }
  return 0;
}

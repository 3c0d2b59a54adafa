// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A malloc that never reuses memory, and stops where it is given a block that is not its own. For a program that has its malloc built in,
// and for a library that is preloaded before another. own_malloc_calls says how often it was asked.

#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char memory[256 << 20] __attribute__((aligned(4096)));
static size_t used = 64;
long own_malloc_calls;

static void *take(size_t alignment, size_t size) {
  own_malloc_calls++;
  if (alignment < 16) alignment = 16;
  for (size_t start = __atomic_load_n(&used, __ATOMIC_RELAXED);;) {
    size_t block = (start + 16 + alignment - 1) & -alignment, end = block + size;
    if (end > sizeof memory || size > sizeof memory) {
      errno = ENOMEM;
      return NULL;
    }
    if (__atomic_compare_exchange_n(&used, &start, end, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      memcpy(memory + block - sizeof size, &size, sizeof size);
      return memory + block;
    }
  }
}

void *malloc(size_t size) { return take(16, size); }
void *calloc(size_t count, size_t size) { return take(16, count * size); }
void *memalign(size_t alignment, size_t size) { return take(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return take(alignment, size); }
int posix_memalign(void **result, size_t alignment, size_t size) {
  *result = take(alignment, size);
  return *result ? 0 : ENOMEM;
}
size_t malloc_usable_size(void *pointer) {
  size_t size = 0;
  if (pointer) memcpy(&size, (char *)pointer - sizeof size, sizeof size);
  return size;
}
void free(void *pointer) {
  if (pointer && ((char *)pointer < memory || (char *)pointer >= memory + sizeof memory)) abort();
}
void *realloc(void *pointer, size_t size) {
  void *block = take(16, size);
  size_t old = malloc_usable_size(pointer);
  if (block && pointer) memcpy(block, pointer, old < size ? old : size);
  return block;
}

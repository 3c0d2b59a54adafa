// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// glibc's functions under another library's roof.

#include "SecondMalloc.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *pointer);

void *malloc(size_t size) { return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return __libc_calloc(count, size); }
void *realloc(void *pointer, size_t size) { return __libc_realloc(pointer, size); }
void *aligned_alloc(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }
void free(void *pointer) { __libc_free(pointer); }

// A chunk of glibc's is its size, less a word, or less two where it is mapped by itself (bit 1 of its size).
size_t malloc_usable_size(void *pointer) {
  if (!pointer) return 0;
  size_t size = ((size_t *)pointer)[-1];
  return (size & ~(size_t)7) - (size & 2 ? 16 : 8);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  void *pointer = __libc_memalign(alignment, size);
  if (!pointer) return 12;
  *result = pointer;
  return 0;
}

int second_malloc_version(void) { return 1; }

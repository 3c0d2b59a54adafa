// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>

#include "CAllocatorSupport.h"
#include "glibc_function.h"

#ifdef ALLOCATOR_SANITIZER

// The sanitizers take over `__libc_memalign`, but not the `__libc_free` that its blocks go to.
void *allocator_glibc_memalign(size_t alignment, size_t size) {
  static void *found;
  return ((void *(*)(size_t, size_t))libc_function(&found, "__libc_memalign"))(alignment, size);
}

#else

void *allocator_glibc_memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

#endif

void allocator_glibc_trim(void) {
  static void *found;
  int (*trim)(size_t) = (int (*)(size_t))libc_function(&found, "malloc_trim");
  // Linked statically, glibc's allocator and the name go together.
  (trim ? trim : malloc_trim)(0);
}

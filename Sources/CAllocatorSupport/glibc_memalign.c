// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>

#include "CAllocatorSupport.h"

#ifdef ALLOCATOR_SANITIZER

// The sanitizers take over `__libc_memalign`, but not the `__libc_free` that its blocks go to: only libc itself has it
// still.
void *allocator_glibc_memalign(size_t alignment, size_t size) {
  static void *(*glibc_memalign)(size_t alignment, size_t size);
  void *(*found)(size_t, size_t) = __atomic_load_n(&glibc_memalign, __ATOMIC_RELAXED);
  if (!found) {
    found = (void *(*)(size_t, size_t))dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), "__libc_memalign");
    __atomic_store_n(&glibc_memalign, found, __ATOMIC_RELAXED);
  }
  return found(alignment, size);
}

#else

void *allocator_glibc_memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

#endif

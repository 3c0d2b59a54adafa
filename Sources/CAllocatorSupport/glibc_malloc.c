// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <malloc.h>

#include "CAllocatorSupport.h"

// What libc itself has under a name that another library, or this artifact, may have taken over; NULL in a program that is
// linked statically. RTLD_NEXT would find the function of a preloaded library, which comes after the program and before libc.
static void *libc_function(void **found, const char *name) {
  void *address = __atomic_load_n(found, __ATOMIC_RELAXED);
  if (!address) {
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (!libc) return NULL;
    address = dlsym(libc, name);
    __atomic_store_n(found, address, __ATOMIC_RELAXED);
  }
  return address;
}

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

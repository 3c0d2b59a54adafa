// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_GLIBC_FUNCTION_H
#define ALLOCATOR_GLIBC_FUNCTION_H

#include <dlfcn.h>
#include <stddef.h>

// What libc itself has under a name that another library, or this artifact, may have taken over; NULL in a program that is
// linked statically. RTLD_NEXT would find the function of a preloaded library, which comes after the program and before libc.
static inline void *libc_function(void **found, const char *name) {
  void *address = __atomic_load_n(found, __ATOMIC_RELAXED);
  if (!address) {
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (!libc) return NULL;
    address = dlsym(libc, name);
    __atomic_store_n(found, address, __ATOMIC_RELAXED);
  }
  return address;
}

#endif

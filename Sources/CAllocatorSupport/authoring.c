// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sys/mman.h>

#include "CAllocatorSupport.h"

// Hidden: each artifact's allocator has its own state.
__attribute__((visibility("hidden"), aligned(64))) unsigned char allocator_state[ALLOCATOR_STORAGE_SIZE];

void *allocator_storage(void) {
  return allocator_state;
}

void *allocator_map(size_t size) {
  int number = errno;
  void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  errno = number;
  return address == MAP_FAILED ? NULL : address;
}

void allocator_unmap(void *address, size_t size) {
  int number = errno;
  munmap(address, size);
  errno = number;
}

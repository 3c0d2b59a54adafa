// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include <stdint.h>

#include "../CAllocatorSupport/include/glibc_malloc.h"
#include "../CAllocatorSupport/include/sanitizers.h"

// glibc's allocator sets itself up in its first call, and takes no lock for that: it counts on a process that allocates before it has
// threads. Where another allocator is malloc, and falls back on glibc's late, several threads could be the first at once; then two
// take the main arena for theirs, and glibc ends the process when they do ("attached_threads > 0"). So a first call is made here. It asks for
// what no allocator has, and so allocates nothing.
#ifndef ALLOCATOR_SANITIZER
__attribute__((constructor)) static void set_up_glibc(void) {
  if (__libc_malloc) (void)__libc_malloc(SIZE_MAX);
}
#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_GLIBC_MALLOC_H
#define ALLOCATOR_GLIBC_MALLOC_H

#include <stddef.h>

#include "annotations.h"

// glibc's allocator under the names that no other allocator interposes. glibc exports them (version GLIBC_2.2.5) and
// declares them in no header. They stay glibc's in a process whose `malloc` another library has taken over.
//
// The references are weak: in a program that is linked statically (`-static-executable`) and has a malloc of its own, they would
// bring glibc's along with them, and its `malloc` would be defined twice. There they are null, and nobody calls them.
#define ALLOCATOR_WEAK_LEAF ALLOCATOR_LEAF __attribute__((weak))

ALLOCATOR_WEAK_LEAF void *_Nullable __libc_malloc(size_t size);
ALLOCATOR_WEAK_LEAF void *_Nullable __libc_calloc(size_t count, size_t size);
ALLOCATOR_WEAK_LEAF void *_Nullable __libc_realloc(void *_Nullable pointer, size_t size);
ALLOCATOR_WEAK_LEAF void *_Nullable __libc_memalign(size_t alignment, size_t size);
ALLOCATOR_WEAK_LEAF void __libc_free(void *_Nullable pointer);

// `__libc_memalign`, and glibc's also in a build with a sanitizer, which takes over that name.
ALLOCATOR_LEAF void *_Nullable allocator_glibc_memalign(size_t alignment, size_t size);

// `malloc_trim (0)`, which glibc exports under no other name: glibc's, whoever has taken that one over. The first call asks
// the dynamic linker, which takes its lock.
ALLOCATOR_LEAF void allocator_glibc_trim(void);

#endif

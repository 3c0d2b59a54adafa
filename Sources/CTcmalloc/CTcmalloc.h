// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_TCMALLOC_H
#define C_TCMALLOC_H

#if !__has_include(<gperftools/tcmalloc.h>)
#error "tcmalloc is not installed: apt-get install libgoogle-perftools-dev"
#else

#include <gperftools/malloc_extension_c.h>
#include <gperftools/tcmalloc.h>
#include <stddef.h>

// tcmalloc's functions by its own names, declared once more to say that allocator code may call them (tcmalloc neither calls the
// Swift runtime nor needs it).
#include "../CAllocatorSupport/include/annotations.h"
ALLOCATOR_LEAF void *tc_malloc(size_t size);
ALLOCATOR_LEAF void *tc_calloc(size_t count, size_t size);
ALLOCATOR_LEAF void *tc_realloc(void *ptr, size_t size);
ALLOCATOR_LEAF void tc_free(void *ptr);
ALLOCATOR_LEAF void tc_free_sized(void *ptr, size_t size);
ALLOCATOR_LEAF void *tc_memalign(size_t alignment, size_t size);
ALLOCATOR_LEAF size_t tc_malloc_size(void *ptr);
ALLOCATOR_LEAF void MallocExtension_MarkThreadIdle(void);
ALLOCATOR_LEAF void MallocExtension_ReleaseFreeMemory(void);
ALLOCATOR_LEAF int MallocExtension_GetNumericProperty(const char *property, size_t *value);

// In <gperftools/nallocx.h> it has the name of jemalloc's function, of which a process may hold both. The library exports it
// under its own name too (since gperftools 2.6), and declares that nowhere.
ALLOCATOR_LEAF size_t tc_nallocx(size_t size, int flags);

#endif
#endif

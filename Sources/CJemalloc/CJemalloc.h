// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_JEMALLOC_H
#define C_JEMALLOC_H

#if !__has_include(<jemalloc/jemalloc.h>)
#error "jemalloc is not installed: apt-get install libjemalloc-dev"
#else

#include <jemalloc/jemalloc.h>
#include <stddef.h>

// jemalloc's non-standard interface, declared once more to say that allocator code may call it (jemalloc neither calls
// the Swift runtime nor needs it).
#include "../CAllocatorSupport/include/annotations.h"
ALLOCATOR_LEAF void *mallocx(size_t size, int flags);
ALLOCATOR_LEAF void *rallocx(void *ptr, size_t size, int flags);
ALLOCATOR_LEAF size_t xallocx(void *ptr, size_t size, size_t extra, int flags);
ALLOCATOR_LEAF void sdallocx(void *ptr, size_t size, int flags);
ALLOCATOR_LEAF size_t nallocx(size_t size, int flags);
ALLOCATOR_LEAF int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen);
ALLOCATOR_LEAF int mallctlnametomib(const char *name, size_t *mibp, size_t *miblenp);
ALLOCATOR_LEAF int mallctlbymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlenp, void *newp, size_t newlen);

#endif
#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The functions of the shim that the malloc family jumps to. They are Swift functions by their native calling convention,
// which saves a second jump, and hidden, which makes the first one direct.

#ifndef C_MALLOC_FAMILY_SHIM_H
#define C_MALLOC_FAMILY_SHIM_H

#include <stddef.h>

#include "CAllocatorSupport.h"

#define SHIM __attribute__((swiftcall, visibility("hidden")))

SHIM void *__swift_malloc(size_t size);
SHIM void *__swift_calloc(size_t count, size_t size);
SHIM void *__swift_realloc(void *pointer, size_t size);
SHIM void __swift_free(void *pointer);
SHIM void __swift_free_sized(void *pointer, size_t size);
SHIM void __swift_free_aligned_sized(void *pointer, size_t alignment, size_t size);
SHIM void *__swift_aligned_alloc(size_t alignment, size_t size);
SHIM int __swift_posix_memalign(void **result, size_t alignment, size_t size);
SHIM void *__swift_reallocarray(void *pointer, size_t count, size_t size);
SHIM void *__swift_valloc(size_t size, size_t page_size);
SHIM void *__swift_pvalloc(size_t size, size_t page_size);
SHIM size_t __swift_malloc_usable_size(void *pointer);
SHIM int __swift_malloc_trim(void);
SHIM const char *__swift_malloc_name(void);
SHIM void __swift_malloc_statistics(struct allocator_statistics *statistics);
SHIM size_t __swift_malloc_size_classes(struct allocator_size_class *classes, size_t capacity);

#endif

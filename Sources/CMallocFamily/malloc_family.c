// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The malloc family of the whole process. Every function is a jump to the one of the shim; C's rules (errno, overflow, null
// pointers) are kept there, in Swift. The set is complete: a function that were left to glibc would hand out, or take, a
// block of a heap that is not in use.

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CAllocatorSupport.h"
#include "CMallocFamily.h"
#include "shim.h"

#ifndef ALLOCATOR_SANITIZER

// SwiftPM has every function set up a frame, even one that only jumps: three instructions more, of malloc's twenty. So these
// are naked, where the jump's name is known. `.hidden` is what makes it a direct one: the compiler sees no use of the function.
#if defined(__x86_64__)
#define JUMP "jmp "
#elif defined(__aarch64__)
#define JUMP "b "
#endif
#ifdef JUMP
#define FORWARD(result, name, parameters, target, arguments)                                                                   \
  __attribute__((naked)) result name parameters { __asm__(JUMP #target "\n\t.hidden " #target); }
#else
#define FORWARD(result, name, parameters, target, arguments)                                                                   \
  result name parameters { return target arguments; }
#endif

// C17, 7.22.3: memory management functions.

FORWARD(void *, malloc, (size_t size), __swift_malloc, (size))
FORWARD(void *, calloc, (size_t count, size_t size), __swift_calloc, (count, size))
FORWARD(void *, realloc, (void *pointer, size_t size), __swift_realloc, (pointer, size))
FORWARD(void, free, (void *pointer), __swift_free, (pointer))
FORWARD(void *, aligned_alloc, (size_t alignment, size_t size), __swift_aligned_alloc, (alignment, size))

// C23, 7.24.3: releases that say the size.

FORWARD(void, free_sized, (void *pointer, size_t size), __swift_free_sized, (pointer, size))
FORWARD(void, free_aligned_sized, (void *pointer, size_t alignment, size_t size), __swift_free_aligned_sized,
        (pointer, alignment, size))

// POSIX.1-2017.

int posix_memalign(void **result, size_t alignment, size_t size) {
  return __swift_posix_memalign(result, alignment, size);
}

// Solaris, BSD and GNU: posix_memalign(3), malloc(3), malloc_usable_size(3).

void *memalign(size_t alignment, size_t size) { return __swift_aligned_alloc(alignment, size); }
void *valloc(size_t size) { return __swift_valloc(size, sysconf(_SC_PAGESIZE)); }
void *pvalloc(size_t size) { return __swift_pvalloc(size, sysconf(_SC_PAGESIZE)); }
void *reallocarray(void *pointer, size_t count, size_t size) { return __swift_reallocarray(pointer, count, size); }
size_t malloc_usable_size(void *pointer) { return __swift_malloc_usable_size(pointer); }
void cfree(void *pointer) { __swift_free(pointer); }

// malloc_trim(3). All free memory is given back: the padding is that of glibc's heap, which has a top. No allocator says
// whether there was any, so 1, "memory was actually released", stands for an allocator that can release at all, and 0,
// "it was not possible to release any memory", for one that cannot.

int malloc_trim(size_t padding) { return __swift_malloc_trim(); }

// mallopt(3). What glibc's parameters set is the doing of its own heap, which is not the one in use, so they have no effect. A
// program that sets one counts on 1, "success": it gets that for each parameter of <malloc.h> and a value that glibc takes, and 0
// for others, where glibc itself says 1 of any parameter.

int mallopt(int parameter, int value) {
  switch (parameter) {
    case M_MXFAST: return value >= 0 && (size_t)value <= 80 * sizeof(size_t) / 4;
    case M_NLBLKS: case M_GRAIN: case M_KEEP:
    case M_TRIM_THRESHOLD: case M_TOP_PAD: case M_MMAP_THRESHOLD: case M_MMAP_MAX:
    case M_CHECK_ACTION: case M_PERTURB: case M_ARENA_TEST: case M_ARENA_MAX: return 1;
    default: return 0;
  }
}

#endif

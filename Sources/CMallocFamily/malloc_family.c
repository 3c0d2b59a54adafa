// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The malloc family of the whole process. Every function is a jump to the one of the shim, which a profiler may lead elsewhere
// (malloc_jumps.h); C's rules (errno, overflow, null pointers) are kept there, in Swift. The set is complete: a function that were left
// to glibc would hand out, or take, a block of a heap that is not in use.

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CAllocatorSupport.h"
#include "CMallocFamily.h"
#include "jumps.h"

#ifndef ALLOCATOR_SANITIZER

#define JUMPS(JUMP)                                                                                                           \
  /* C17, 7.22.3: memory management functions. */                                                                             \
  JUMP(void *, malloc, (size_t size), __swift_malloc)                                                                         \
  JUMP(void *, calloc, (size_t count, size_t size), __swift_calloc)                                                           \
  JUMP(void *, realloc, (void *pointer, size_t size), __swift_realloc)                                                        \
  JUMP(void, free, (void *pointer), __swift_free)                                                                             \
  JUMP(void *, aligned_alloc, (size_t alignment, size_t size), __swift_aligned_alloc)                                         \
  /* C23, 7.24.3: releases that say the size. */                                                                              \
  JUMP(void, free_sized, (void *pointer, size_t size), __swift_free_sized)                                                    \
  JUMP(void, free_aligned_sized, (void *pointer, size_t alignment, size_t size), __swift_free_aligned_sized)                  \
  /* POSIX.1-2017. */                                                                                                         \
  JUMP(int, posix_memalign, (void **result, size_t alignment, size_t size), __swift_posix_memalign)                           \
  /* Solaris, BSD and GNU: posix_memalign(3), malloc(3). */                                                                   \
  JUMP(void *, memalign, (size_t alignment, size_t size), __swift_aligned_alloc)                                              \
  JUMP(void *, valloc, (size_t size), allocate_on_page)                                                                       \
  JUMP(void *, pvalloc, (size_t size), allocate_pages)                                                                        \
  JUMP(void *, reallocarray, (void *pointer, size_t count, size_t size), __swift_reallocarray)                                \
  JUMP(void, cfree, (void *pointer), __swift_free)

#define HIDDEN __attribute__((used, visibility("hidden")))
HIDDEN void *allocate_on_page(size_t size) { return __swift_valloc(size, sysconf(_SC_PAGESIZE)); }
HIDDEN void *allocate_pages(size_t size) { return __swift_pvalloc(size, sysconf(_SC_PAGESIZE)); }

// SwiftPM has every function set up a frame, even one that only jumps: three instructions more, of malloc's twenty. So these
// are naked. `.hidden` is what makes the jump a direct one: the compiler sees no use of the function. Each has a second name, which
// nobody outside of the image can take over.
#if defined(__x86_64__)
#define INSTRUCTION ".byte 0x2e, 0x2e, 0x2e\n\tjmp "
#elif defined(__aarch64__)
#define INSTRUCTION "b "
#else
#error "how is a jump written?"
#endif
#define FORWARD(result, name, parameters, target)                                                      \
  __attribute__((naked, aligned(16))) result name parameters {                                         \
    __asm__(".globl malloc_jump_" #name "\n\t.hidden malloc_jump_" #name "\nmalloc_jump_" #name ":\n\t" \
            INSTRUCTION #target "\n\t.hidden " #target);                                               \
  }
JUMPS(FORWARD)

// malloc_usable_size(3)

size_t malloc_usable_size(void *pointer) { return __swift_malloc_usable_size(pointer); }

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

// malloc_jumps.h

#define DECLARE(result, name, parameters, target) \
  extern const char jump_##name[] __asm__("malloc_jump_" #name) __attribute__((visibility("hidden")));
JUMPS(DECLARE)

const struct allocator_malloc_jump *__swift_malloc_jumps(size_t *count) {
#define DESCRIBE(result, name, parameters, target) {#name, (void *)jump_##name, (void *)target},
  static const struct allocator_malloc_jump jumps[] = {JUMPS(DESCRIBE)};
  *count = sizeof jumps / sizeof jumps[0];
  return jumps;
}

#endif

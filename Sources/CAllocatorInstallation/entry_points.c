// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CAllocatorInstallation.h"


// Each symbol once: declared weak, so that a missing one is null, and as data, so that no compiler knows its type.
#define ENTRY_POINTS(ENTRY)                                                                                         \
  ENTRY(malloc) ENTRY(calloc) ENTRY(realloc) ENTRY(free) ENTRY(aligned_alloc) ENTRY(free_sized)                     \
  ENTRY(free_aligned_sized) ENTRY(posix_memalign) ENTRY(memalign) ENTRY(valloc) ENTRY(pvalloc) ENTRY(reallocarray)  \
  ENTRY(malloc_usable_size) ENTRY(cfree)                                                                            \
  ENTRY(__rust_allocate) ENTRY(__rust_deallocate) ENTRY(__rust_reallocate) ENTRY(__rust_reallocate_inplace)         \
  ENTRY(__rust_usable_size)                                                                                         \
  ENTRY(swift_allocObject) ENTRY(swift_slowAlloc)                                                                   \
  ENTRY(_Znwm) ENTRY(_Znam) ENTRY(_ZnwmRKSt9nothrow_t) ENTRY(_ZnamRKSt9nothrow_t) ENTRY(_ZnwmSt11align_val_t)       \
  ENTRY(_ZnamSt11align_val_t) ENTRY(_ZdlPv) ENTRY(_ZdaPv) ENTRY(_ZdlPvm) ENTRY(_ZdaPvm)                             \
  ENTRY(_ZdlPvSt11align_val_t) ENTRY(_ZdaPvSt11align_val_t) ENTRY(_ZdlPvmSt11align_val_t)                           \
  ENTRY(_ZdaPvmSt11align_val_t)

#define DECLARE(symbol) extern const char reference_to_##symbol[] __asm__(#symbol) __attribute__((weak));
ENTRY_POINTS(DECLARE)

#define ELEMENT(symbol) {#symbol, reference_to_##symbol},
static const struct allocator_entry_point entry_points[] = {ENTRY_POINTS(ELEMENT)};
const struct allocator_entry_point *allocator_entry_point_table(void) { return entry_points; }
const size_t allocator_entry_point_count = sizeof entry_points / sizeof entry_points[0];

extern const char exported_malloc[] __asm__("__swift_malloc") __attribute__((weak));
const void *allocator_exported_malloc(void) { return exported_malloc; }

extern const char asan_init[] __asm__("__asan_init") __attribute__((weak));
extern const char tsan_init[] __asm__("__tsan_init") __attribute__((weak));
int allocator_is_sanitized(void) { return asan_init || tsan_init; }

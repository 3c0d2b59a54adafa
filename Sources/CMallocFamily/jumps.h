// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_MALLOC_FAMILY_JUMPS_H
#define C_MALLOC_FAMILY_JUMPS_H

#include "shim.h"

// Exported functions of `malloc_family.c` by names that nobody outside of the image can take over; see malloc_jumps.h.
void malloc_jump_free_sized(void *pointer, size_t size) __attribute__((visibility("hidden")));
void malloc_jump_free_aligned_sized(void *pointer, size_t alignment, size_t size) __attribute__((visibility("hidden")));

#endif

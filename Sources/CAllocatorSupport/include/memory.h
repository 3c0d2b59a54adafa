// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_MEMORY_H
#define ALLOCATOR_MEMORY_H

#include <string.h>

#include "annotations.h"

// In debug builds, Swift's own functions on raw memory are generic ones of the standard library, which look up metadata.

// Copies `size` bytes between blocks that do not overlap.
ALLOCATOR_LEAF static inline void allocator_copy(void *_Nonnull target, const void *_Nonnull source, size_t size) {
  memcpy(target, source, size);
}

// Fills `size` bytes with zeros.
ALLOCATOR_LEAF static inline void allocator_zero(void *_Nonnull target, size_t size) {
  memset(target, 0, size);
}

#endif

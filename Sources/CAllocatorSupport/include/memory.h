// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_MEMORY_H
#define ALLOCATOR_MEMORY_H

#include <string.h>

#include "annotations.h"

// In debug builds, Swift's own functions on raw memory are generic ones of the standard library, which look up metadata.
ALLOCATOR_LEAF void *_Nonnull memset(void *_Nonnull pointer, int byte, size_t count);
ALLOCATOR_LEAF void *_Nonnull memcpy(void *_Nonnull target, const void *_Nonnull source, size_t count);

#endif

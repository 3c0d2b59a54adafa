// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_AUTHORING_H
#define ALLOCATOR_AUTHORING_H

#include <stddef.h>

#include "annotations.h"

// What the author of an allocator needs and Swift does not offer to code that may not allocate: storage that is there before
// any code has run, and memory from the system.

#define ALLOCATOR_STORAGE_SIZE 4096

// Zeroed storage, 4096 bytes aligned to 64, for the state of the allocator that an artifact exports. It is the same at each
// call, and the artifact's own. A global of Swift's that is more than a number is initialized when it is first used, which
// takes a lock.
ALLOCATOR_LEAF void *_Nonnull allocator_storage(void);

// Maps `size` bytes (a multiple of a page) of zeroed memory, readable and writable; pages take up memory once they are
// written. NULL where there is no room; errno is left alone.
ALLOCATOR_LEAF void *_Nullable allocator_map(size_t size);

// Gives back what allocator_map returned, or whole pages of it. errno is left alone.
ALLOCATOR_LEAF void allocator_unmap(void *_Nonnull address, size_t size);

#endif

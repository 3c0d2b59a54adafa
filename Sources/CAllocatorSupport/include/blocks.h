// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_BLOCKS_H
#define ALLOCATOR_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "annotations.h"

// A walk over the live blocks of an allocator, as it crosses the border between artifacts that may have been built apart. What it
// promises stands with the Swift protocol `BlockWalking`.

// A live block.
struct allocator_block {
  uintptr_t address;
  // Bytes that it holds: its usable size.
  size_t size;
  // Its first words, as they were when it was found to be live; `word_count` of them, 0 where they were not read. By the time that
  // the caller sees them, the block may have been released, and be no memory any more.
  size_t word_count;
  uintptr_t words[3];
};

// Where a walk has got to. All zeros: at the start. What is in it is the allocator's.
struct allocator_walk {
  uintptr_t words[4];
};

// Fills in up to `capacity` live blocks, and moves `walk` on. Returns how many; 0 at the end of the walk, and -1 where the allocator
// behind the five functions cannot walk over its blocks. Allocates nothing.
ALLOCATOR_LEAF long __swift_allocator_walk_blocks(struct allocator_walk *_Nonnull walk,
                                                  struct allocator_block *_Nonnull blocks, size_t capacity);

#endif

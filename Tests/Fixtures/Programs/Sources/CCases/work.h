// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef WORK_H
#define WORK_H

#include <stddef.h>

// A live set of blocks of all sizes, up to some MiB, whose ends hold a pattern.
enum { work_blocks = 64 };
struct work {
  size_t seed;
  unsigned char *blocks[work_blocks];
  size_t sizes[work_blocks];
  // Refusals are no fault.
  int may_fail;
  size_t refused;
};

// Allocates, resizes and releases `count` times, and checks what the blocks hold.
void work_on(struct work *work, int count);
// Releases all.
void work_end(struct work *work);

#endif

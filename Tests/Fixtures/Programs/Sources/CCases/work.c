// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "work.h"

#include "check.h"

#include <string.h>


static size_t next(struct work *work) {
  work->seed = work->seed * 6364136223846793005u + 1442695040888963407u;
  return work->seed >> 33;
}

static size_t size_of_any_kind(struct work *work) {
  size_t kind = next(work) % 40, number = next(work);
  if (kind == 0) return 1 + number % 6000000;
  if (kind < 4) return 1 + number % 400000;
  if (kind < 10) return 1 + number % 40000;
  return 1 + number % 2000;
}

static void check_block(struct work *work, size_t index, size_t size) {
  unsigned char *block = work->blocks[index];
  if (!block || size == 0) return;
  CHECK(block[0] == pattern(index, 0), "the first byte of a block of %zu", size);
  CHECK(size < work->sizes[index] || block[size - 1] == pattern(index, 1), "the last byte of a block of %zu", size);
}

void work_on(struct work *work, int count) {
  for (int round = 0; round < count; round++) {
    size_t index = next(work) % work_blocks, size = size_of_any_kind(work);
    check_block(work, index, work->sizes[index]);
    unsigned char *block;
    if (next(work) % 3 == 0) {
      block = realloc(work->blocks[index], size);
      if (!block) {
        CHECK(work->may_fail, "realloc to %zu", size);
        work->refused++;
        continue;
      }
      work->blocks[index] = block;
      check_block(work, index, size < work->sizes[index] ? 1 : work->sizes[index]);
    } else {
      free(work->blocks[index]);
      int is_zeroed = next(work) % 8 == 0;
      block = is_zeroed ? calloc(1, size) : malloc(size);
      work->blocks[index] = block;
      work->sizes[index] = 0;
      if (!block) {
        CHECK(work->may_fail, "malloc of %zu", size);
        work->refused++;
        continue;
      }
      if (is_zeroed)
        for (size_t at = 0; at < size; at += size / 50 + 1) CHECK(block[at] == 0, "calloc of %zu at %zu", size, at);
    }
    work->sizes[index] = size;
    block[size - 1] = pattern(index, 1);
    block[0] = pattern(index, 0);
    if (size == 1) work->sizes[index] = 0;
  }
}

void work_end(struct work *work) {
  for (size_t index = 0; index < work_blocks; index++) {
    check_block(work, index, work->sizes[index]);
    free(work->blocks[index]);
    work->blocks[index] = NULL;
    work->sizes[index] = 0;
  }
}

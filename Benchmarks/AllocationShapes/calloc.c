// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Zeroed blocks of 16 bytes to 64 KiB in one thread, most of them from memory that was used before: whoever zeroes is
// checked, and whoever zeroes twice pays.

#include "shape.h"

enum { slot_count = 1024 };

uint64_t shape_calloc(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  void *slots[slot_count] = {0};
  uint64_t sum = 0;
  for (size_t i = 0, end = scaled(settings, 1.8e6); i < end; i++) {
    void **slot = &slots[random_below(&random, slot_count)];
    if (*slot != NULL) sum += block_end(*slot);
    // Small ones are more frequent: one in eight may be above 1 KiB.
    size_t size = random_below(&random, 8) == 0 ? random_magnitude(&random, 10, 16) : random_magnitude(&random, 4, 10);
    unsigned char *block = opaque(calloc(size / 8, 8));
    if (block == NULL) shape_fail("calloc returned NULL");
    size &= ~(size_t)7;
    for (size_t offset = 0; offset < size; offset += 64)
      if (block[offset] != 0) shape_fail("calloc returned memory that is not zero");
    if (block[size - 1] != 0) shape_fail("calloc returned memory that is not zero");
    touch(block, size, random_tag(&random));
    *slot = block;
  }
  for (size_t k = 0; k < slot_count; k++)
    if (slots[k] != NULL) sum += block_end(slots[k]);
  return sum;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Large blocks of 5 to 25 MB in one thread, a few of them alive, every page written: buffers of images or columns. Whoever
// gives the pages back each time pays for their faults each time.

#include "shape.h"

enum { slot_count = 8 };

uint64_t shape_large(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  void *slots[slot_count] = {0};
  uint64_t sum = 0;
  for (size_t i = 0, end = scaled(settings, 400); i < end; i++) {
    void **slot = &slots[random_below(&random, slot_count)];
    if (*slot != NULL) sum += block_end(*slot);
    *slot = block_new(5000000 + random_below(&random, 20000000), random_tag(&random));
  }
  for (size_t k = 0; k < slot_count; k++)
    if (slots[k] != NULL) sum += block_end(slots[k]);
  return sum;
}

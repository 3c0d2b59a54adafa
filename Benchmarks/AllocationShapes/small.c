// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Small short-lived objects of one thread, as an interpreter or an arithmetic of unbounded numbers makes them: hardly
// anything lives longer than a few hundred allocations, and much of it dies in reverse order.

#include "shape.h"

enum { recent_count = 256 };

uint64_t shape_small(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  void *recent[recent_count] = {0};
  uint64_t sum = 0;
  for (size_t i = 0, calls = scaled(settings, 2.6e6); i < calls; i++) {
    // A call: its temporaries die with it, last first, and its result replaces an older one.
    void *temporaries[8];
    size_t count = 1 + random_below(&random, 8);
    for (size_t k = 0; k < count; k++)
      temporaries[k] = block_new(8 + random_below(&random, 64), random_tag(&random));
    void **slot = &recent[random_below(&random, recent_count)];
    if (*slot != NULL) sum += block_end(*slot);
    *slot = block_new(8 + random_below(&random, 248), random_tag(&random));
    while (count > 0) sum += block_end(temporaries[--count]);
  }
  for (size_t k = 0; k < recent_count; k++)
    if (recent[k] != NULL) sum += block_end(recent[k]);
  return sum;
}

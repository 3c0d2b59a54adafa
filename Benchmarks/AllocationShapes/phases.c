// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Phases in one thread: each fills some 20 MB with blocks of sizes of its own and releases nine in ten of them at random
// before the next begins, as a program does that loads, transforms and writes. What the phases leave behind is scattered:
// this is about memory more than about time.

#include "shape.h"

enum { phase_count = 12, phase_bytes = 20 << 20 };

struct node {
  uint64_t tag;
  struct node *next;
};

uint64_t shape_phases(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  struct node *kept = NULL;
  uint64_t sum = 0;
  for (int phase = 0; phase < phase_count; phase++) {
    size_t smallest = (size_t)16 << (phase * 5 % 8);
    size_t count = scaled(settings, (double)phase_bytes / ((double)smallest * 1.5));
    struct node **nodes = block_new(count * sizeof *nodes, 0);
    for (size_t i = 0; i < count; i++)
      nodes[i] = block_new(smallest + random_below(&random, smallest), random_tag(&random));
    for (size_t i = 0; i < count; i++) {
      size_t k = i + random_below(&random, count - i);
      struct node *node = nodes[k];
      nodes[k] = nodes[i];
      if (i % 10 == 0) {
        node->next = kept;
        kept = node;
      } else {
        sum += block_end(node);
      }
    }
    free(opaque(nodes));
  }
  while (kept != NULL) {
    struct node *next = kept->next;
    sum += block_end(kept);
    kept = next;
  }
  return sum;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Small objects of mixed lifetimes in one thread, as a compiler or a solver of logic makes them: nodes of a few sizes, most
// of which die young, while some outlive a whole phase and few stay to the end.

#include "shape.h"

enum { calendar_size = 1 << 18 };

struct node {
  uint64_t tag;
  struct node *next;  // that dies at the same time
};

static size_t node_size(struct random *random) {
  static const unsigned short sizes[16] = {16, 24, 24, 32, 32, 32, 40, 48, 48, 56, 64, 72, 88, 120, 200, 328};
  return sizes[random_below(random, 16)];
}

// In allocations from now.
static size_t lifetime(struct random *random) {
  size_t kind = random_below(random, 100);
  return kind < 60   ? 1 + random_below(random, 64)
         : kind < 90 ? 1 + random_below(random, 4096)
                     : 1 + random_below(random, calendar_size - 1);
}

uint64_t shape_solver(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  // calendar[t % calendar_size]: the nodes that die at time t.
  static struct node *calendar[calendar_size];
  struct node *immortal = NULL;
  uint64_t sum = 0;
  for (size_t now = 0, end = scaled(settings, 8e6) + calendar_size; now < end; now++) {
    struct node **today = &calendar[now % calendar_size];
    for (struct node *node = *today, *next; node != NULL; node = next) {
      next = node->next;
      sum += block_end(node);
    }
    *today = NULL;
    if (now >= end - calendar_size) continue;
    struct node *node = block_new(node_size(&random), random_tag(&random));
    struct node **list =
        random_below(&random, 200) == 0 ? &immortal : &calendar[(now + lifetime(&random)) % calendar_size];
    node->next = *list;
    *list = node;
  }
  while (immortal != NULL) {
    struct node *next = immortal->next;
    sum += block_end(immortal);
    immortal = next;
  }
  return sum;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Blocks of one size in one thread, allocated in bulk and released in the same order, in reverse and shuffled: what
// micro-benchmarks of malloc do.

#include "shape.h"

enum { most_blocks = 1600 };

uint64_t shape_simple(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  static const size_t sizes[] = {8, 16, 24, 32, 48, 64, 96, 128, 192, 256};
  static const size_t counts[] = {25, 100, 400, most_blocks};
  void *blocks[most_blocks];
  uint64_t sum = 0;
  for (size_t repetition = 0, end = scaled(settings, 200); repetition < end; repetition++) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        size_t count = counts[c];
        for (size_t order = 0; order < 3; order++) {
          for (size_t i = 0; i < count; i++) blocks[i] = block_new(sizes[s], random_tag(&random));
          if (order == 2) {
            for (size_t i = count - 1; i > 0; i--) {
              size_t k = random_below(&random, i + 1);
              void *block = blocks[i];
              blocks[i] = blocks[k];
              blocks[k] = block;
            }
          }
          for (size_t i = 0; i < count; i++) sum += block_end(blocks[order == 1 ? count - 1 - i : i]);
        }
      }
    }
  }
  return sum;
}

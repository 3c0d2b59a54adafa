// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What the shapes share: how they allocate, how they touch memory, their random numbers, their threads.
//
// A shape imitates how a kind of program uses malloc, and nothing else of it. It uses only the standard functions, so that
// a library that is loaded before it may replace them. How much it allocates, and in which order in each thread, is decided
// by the seed and the scale alone.

#ifndef SHAPE_H
#define SHAPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct settings {
  uint64_t seed;
  int threads;   // at least 2; shapes of one thread take no notice
  double scale;  // 1 is the usual amount of work
};

// Returns the sum of the tags of all blocks that were released, which depends on nothing but the settings.
typedef uint64_t shape_function(const struct settings *settings);

shape_function shape_small, shape_solver, shape_simple, shape_calloc, shape_realloc, shape_aligned, shape_pareto,
    shape_phases, shape_large, shape_server, shape_producer, shape_exchange, shape_churn, shape_sharing,
    shape_relay, shape_mixture;

// Random numbers: SplitMix64 (Steele, Lea, Flood 2014).
struct random {
  uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
  uint64_t z = random->state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// A number from 0 to bound - 1.
static inline size_t random_below(struct random *random, size_t bound) {
  return (size_t)(((random_next(random) >> 32) * (uint64_t)bound) >> 32);
}

// A size from low to high, each order of magnitude as likely as the others.
static inline size_t random_magnitude(struct random *random, int low_exponent, int high_exponent) {
  size_t power = (size_t)1 << (low_exponent + (int)random_below(random, (size_t)(high_exponent - low_exponent)));
  return power + random_below(random, power);
}

// Each thread of a shape has random numbers of its own.
static inline struct random random_of_thread(const struct settings *settings, int thread) {
  struct random random = {settings->seed * 1000003 + (uint64_t)thread};
  random_next(&random);
  return random;
}

static inline size_t scaled(const struct settings *settings, double count) {
  double product = count * settings->scale;
  return product < 1 ? 1 : (size_t)product;
}

_Noreturn void shape_fail(const char *reason);

// Hides from the compiler where a block comes from: it must not merge or drop calls of the allocator.
static inline void *opaque(void *block) {
  __asm__ volatile("" : "+r"(block) : : "memory");
  return block;
}

// Writes to a block as a program does that fills it: the tag first, then every cache line; of a block above 64 KiB every
// page.
static inline void touch(void *block, size_t size, uint64_t tag) {
  char *bytes = block;
  *(uint64_t *)block = tag;
  size_t step = size > 65536 ? 4096 : 64;
  for (size_t offset = step; offset < size; offset += step) bytes[offset] = (char)tag;
  bytes[size - 1] = size > 8 ? (char)tag : bytes[size - 1];
}

// Allocates and touches a block; sizes are 8 or more.
static inline void *block_new(size_t size, uint64_t tag) {
  void *block = opaque(malloc(size));
  if (block == NULL) shape_fail("malloc returned NULL");
  touch(block, size, tag);
  return block;
}

// Releases a block and returns the tag that it still carries.
static inline uint64_t block_end(void *block) {
  uint64_t tag = *(uint64_t *)block;
  free(opaque(block));
  return tag;
}

// A tag with 32 random bits, so that sums tell lost or mixed-up blocks.
static inline uint64_t random_tag(struct random *random) { return random_next(random) >> 32; }

// One thread of a shape, and what it returns.
struct worker {
  const struct settings *settings;
  int number;
  uint64_t sum;
  void *context;
};

// Runs `body` on `count` threads and returns the sum of their sums. What `body` gets as `context` is the same for all.
uint64_t run_workers(const struct settings *settings, int count, void *(*body)(void *worker), void *context);

#endif

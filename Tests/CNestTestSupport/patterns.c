// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include <stdint.h>
#include <string.h>

#include "CNestTestSupport.h"

// A fuzzer that watched these loops would see nothing else.
#define UNWATCHED __attribute__((no_sanitize("coverage")))

UNWATCHED static uint64_t word(size_t index, uint64_t seed) { return (index + seed) * 0x9e3779b97f4a7c15u; }

UNWATCHED void fill_pattern(void *bytes, size_t count, uint64_t seed) {
  char *target = bytes;
  size_t words = count / 8;
  for (size_t i = 0; i < words; i++) {
    uint64_t value = word(i, seed);
    memcpy(target + i * 8, &value, sizeof value);
  }
  uint64_t last = word(words, seed);
  memcpy(target + words * 8, &last, count % 8);
}

UNWATCHED size_t matching_pattern(const void *bytes, size_t count, uint64_t seed) {
  const char *source = bytes;
  size_t words = count / 8;
  for (size_t i = 0; i < words; i++) {
    uint64_t found;
    memcpy(&found, source + i * 8, sizeof found);
    if (found != word(i, seed)) return i * 8;
  }
  uint64_t last = word(words, seed), expected = last;
  memcpy(&last, source + words * 8, count % 8);
  return last == expected ? count : words * 8;
}

UNWATCHED size_t matching_bytes(const void *bytes, size_t count, uint8_t byte) {
  const unsigned char *source = bytes;
  // All are equal to their successor, and the first is right. By the C library: this is not optimized in a debug build.
  if (count == 0 || (source[0] == byte && memcmp(source, source + 1, count - 1) == 0)) return count;
  size_t offset = 0;
  while (source[offset] == byte) offset++;
  return offset;
}

UNWATCHED size_t matching_zeros(const void *bytes, size_t count) {
  const char *source = bytes;
  size_t words = count / 8;
  for (size_t i = 0; i < words; i++) {
    uint64_t found;
    memcpy(&found, source + i * 8, sizeof found);
    if (found != 0) return i * 8;
  }
  uint64_t last = 0;
  memcpy(&last, source + words * 8, count % 8);
  return last == 0 ? count : words * 8;
}

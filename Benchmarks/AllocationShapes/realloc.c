// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Growth by realloc in one thread: many buffers grow at the same time, each by half whenever it is full, most to some
// hundred bytes and few to megabytes, and are cut to their length at the end, as builders of strings and arrays do.

#include "shape.h"

enum { buffer_count = 64 };

struct buffer {
  char *bytes;
  size_t length, capacity, end;
};

static void *resized(void *block, size_t size) {
  block = opaque(realloc(opaque(block), size));
  if (block == NULL) shape_fail("realloc returned NULL");
  return block;
}

static void start(struct buffer *buffer, struct random *random) {
  buffer->capacity = 16;
  buffer->length = 8;
  buffer->bytes = block_new(buffer->capacity, random_tag(random));
  size_t kind = random_below(random, 1000);
  buffer->end = kind == 0 ? random_magnitude(random, 18, 22)
                : kind < 50 ? random_magnitude(random, 12, 18)
                            : random_magnitude(random, 5, 12);
}

uint64_t shape_realloc(const struct settings *settings) {
  struct random random = random_of_thread(settings, 0);
  struct buffer buffers[buffer_count];
  uint64_t sum = 0;
  for (size_t k = 0; k < buffer_count; k++) start(&buffers[k], &random);
  for (size_t i = 0, end = scaled(settings, 5e6); i < end; i++) {
    struct buffer *buffer = &buffers[random_below(&random, buffer_count)];
    // Appends a piece: longer ones to longer buffers.
    size_t piece = 8 + random_below(&random, 24 + buffer->length / 8);
    while (buffer->capacity < buffer->length + piece) {
      buffer->capacity += buffer->capacity / 2;
      buffer->bytes = resized(buffer->bytes, buffer->capacity);
    }
    for (size_t offset = 0; offset < piece; offset += 64) buffer->bytes[buffer->length + offset] = (char)i;
    buffer->length += piece;
    if (buffer->length < buffer->end) continue;
    buffer->bytes = resized(buffer->bytes, buffer->length);
    sum += block_end(buffer->bytes);
    start(buffer, &random);
  }
  for (size_t k = 0; k < buffer_count; k++) sum += block_end(buffers[k].bytes);
  return sum;
}

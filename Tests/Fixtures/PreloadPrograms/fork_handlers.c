// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library whose fork handlers allocate, as those of a logger or of a remote procedure call library do. Preloaded behind an
// allocator, it registers them before that one's constructors run; they are called after the allocator's own before fork, and
// before them after it.

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void work(void) {
  enum { count = 200 };
  char *volatile blocks[count];
  for (size_t index = 0; index < count; index++) {
    blocks[index] = malloc(40 + index * 101);
    if (!blocks[index]) abort();
    memset(blocks[index], 1, 40);
  }
  for (size_t index = 0; index < count; index++) free(blocks[index]);
  char *volatile large = malloc(2500000);
  large = realloc(large, 5000000);
  if (!large) abort();
  free(large);
}

__attribute__((constructor)) static void start(void) { pthread_atfork(work, work, work); }

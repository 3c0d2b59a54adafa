// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// In C, because nothing of Swift runs when a library is loaded.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>

extern void swift_allocators_start_insight(void);

// As the libraries that open this one do it: this one may be preloaded by itself, over any allocator.
__attribute__((constructor)) static void start_if_wanted(void) {
  const char *wanted = secure_getenv("ALLOCATORS_INSIGHT");
  if (wanted && strcmp(wanted, "1") == 0) swift_allocators_start_insight();
}

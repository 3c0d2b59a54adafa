// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library that releases what the C library has allocated.

#include <stdlib.h>
#include <string.h>

int plugin_work(void) {
  char *copy = strdup("bound");
  int length = copy ? (int)strlen(copy) : -1;
  free(copy);
  return length;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A program in C++, which prints how many objects it has made. With OWN_MALLOC it is linked with a malloc of its own, and wants to have
// been served by that.

#include <cstdio>

#include "objects.h"

#ifdef OWN_MALLOC
extern "C" long own_malloc_calls;
#endif

int main() {
  std::printf("%d\n", make_objects());
#ifdef OWN_MALLOC
  return own_malloc_calls > 1000 ? 0 : 1;
#else
  return 0;
#endif
}

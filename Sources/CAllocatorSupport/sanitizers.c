// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CAllocatorSupport.h"

const char *allocator_sanitizer(void) {
#ifdef ALLOCATOR_SANITIZER
  return ALLOCATOR_SANITIZER;
#else
  return 0;
#endif
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include <string.h>

#include "CAllocatorSupport.h"

void allocator_export_statistics(struct allocator_statistics value, struct allocator_statistics *target, size_t size) {
  // Every byte of ALLOCATOR_UNKNOWN.
  memset(target, 0xff, size);
  memcpy(target, &value, size < sizeof value ? size : sizeof value);
}

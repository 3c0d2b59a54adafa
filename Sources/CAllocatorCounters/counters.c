// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CAllocatorCounters.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Atomic(size_t) allocator_counters[ALLOCATOR_COUNTER_COUNT];

// Prints the counts when the process ends, if the environment variable ALLOCATOR_COUNTS is set and not empty, and if
// anything was counted: an artifact may hold the counters and no allocator that counts.
__attribute__((destructor)) static void report_counts(void) {
  const char *wanted = secure_getenv("ALLOCATOR_COUNTS");
  if (!wanted || !*wanted || allocator_counter_value(ALLOCATOR_COUNTER_ALLOCATIONS) == 0) return;
  dprintf(STDERR_FILENO,
          "swift-allocators: process %d: %zu allocations, %zu reallocations, %zu deallocations, %zu failures, %zu bytes\n",
          (int)getpid(), allocator_counter_value(ALLOCATOR_COUNTER_ALLOCATIONS),
          allocator_counter_value(ALLOCATOR_COUNTER_REALLOCATIONS),
          allocator_counter_value(ALLOCATOR_COUNTER_DEALLOCATIONS), allocator_counter_value(ALLOCATOR_COUNTER_FAILURES),
          allocator_counter_value(ALLOCATOR_COUNTER_BYTES));
}

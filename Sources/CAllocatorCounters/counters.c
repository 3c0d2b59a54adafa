// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CAllocatorCounters.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Atomic(size_t) allocator_counters[ALLOCATOR_COUNTER_COUNT];

// A descriptor of standard error, if the environment variable ALLOCATOR_COUNTS is set and not empty; else -1. A copy of the
// first: many programs close theirs when they end, before the counts are printed.
static int report_descriptor = -1;

__attribute__((constructor)) static void ask_for_report(void) {
  const char *wanted = secure_getenv("ALLOCATOR_COUNTS");
  if (wanted && *wanted) report_descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
}

// Prints the counts when the process ends, if that was asked for and anything was counted: an artifact may hold the counters
// and no allocator that counts.
__attribute__((destructor)) static void report_counts(void) {
  if (report_descriptor < 0 || allocator_counter_value(ALLOCATOR_COUNTER_ALLOCATIONS) == 0) return;
  dprintf(report_descriptor,
          "swift-allocators: process %d: %zu allocations, %zu reallocations, %zu deallocations, %zu failures, %zu bytes\n",
          (int)getpid(), allocator_counter_value(ALLOCATOR_COUNTER_ALLOCATIONS),
          allocator_counter_value(ALLOCATOR_COUNTER_REALLOCATIONS),
          allocator_counter_value(ALLOCATOR_COUNTER_DEALLOCATIONS), allocator_counter_value(ALLOCATOR_COUNTER_FAILURES),
          allocator_counter_value(ALLOCATOR_COUNTER_BYTES));
}

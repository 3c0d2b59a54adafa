// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_ERROR_NUMBER_H
#define ALLOCATOR_ERROR_NUMBER_H

#include <errno.h>

#include "annotations.h"

// `errno` is a macro over a function call, which Swift does not import as something that allocator code may use.

ALLOCATOR_LEAF static inline int allocator_error_number(void) {
  return errno;
}

ALLOCATOR_LEAF static inline void allocator_set_error_number(int number) {
  errno = number;
}

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_MISUSE_H
#define ALLOCATOR_MISUSE_H

#include "annotations.h"

// Writes one line, "swift-allocators: FUNCTION(POINTER): CAUSE", to standard error and aborts the process. Allocates
// nothing, takes no lock, and may be called in a signal handler. `function` and `cause` are NUL-terminated.
ALLOCATOR_LEAF __attribute__((noreturn, cold)) void allocator_stop(const char *_Nonnull function,
                                                                   const void *_Nullable pointer,
                                                                   const char *_Nonnull cause);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_SANITIZERS_H
#define ALLOCATOR_SANITIZERS_H

#include "annotations.h"

// The sanitizers that replace malloc themselves. A build with one of them keeps its malloc: it is how it finds errors.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOCATOR_SANITIZER "AddressSanitizer"
#elif __has_feature(thread_sanitizer)
#define ALLOCATOR_SANITIZER "ThreadSanitizer"
#endif
#endif

// The name of the sanitizer of this build that has replaced malloc, or NULL. Not inline: only C files are told of the
// sanitizer when they are compiled.
ALLOCATOR_LEAF const char *_Nullable allocator_sanitizer(void);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_NEST_TEST_SUPPORT_H
#define C_NEST_TEST_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

// Runs `body` in a child that fork makes, with its standard error in `output` (NUL-terminated, cut to `capacity`). Returns the
// child's exit status, 0 when `body` returns, or the negative number of the signal that ended it; -SIGKILL after `seconds`.
int run_in_child(void (*_Nonnull body)(void), char *_Nonnull output, size_t capacity, int seconds);

// Runs `body` again and again while a timer's signal handler, which may interrupt it anywhere, forks `count` times.
void fork_in_signal_handlers(void (*_Nonnull body)(void), int count);

// Fills `count` bytes with a pattern that differs from place to place and from seed to seed.
void fill_pattern(void *_Nonnull bytes, size_t count, uint64_t seed);

// The offset of the first word of `count` bytes that is not as it was filled; `count` if all are.
size_t matching_pattern(const void *_Nonnull bytes, size_t count, uint64_t seed);

// The offset of the first word of `count` bytes that is not zero; `count` if all are.
size_t matching_zeros(const void *_Nonnull bytes, size_t count);

// The offset of the first of `count` bytes that is not `byte`; `count` if all are.
size_t matching_bytes(const void *_Nonnull bytes, size_t count, uint8_t byte);

// Whether this is a build with the Thread Sanitizer.
int is_thread_sanitized(void);

#endif

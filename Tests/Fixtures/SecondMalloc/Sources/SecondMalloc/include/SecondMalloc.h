// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef SECOND_MALLOC_H
#define SECOND_MALLOC_H

#include <stddef.h>

int second_malloc_version(void);

#endif

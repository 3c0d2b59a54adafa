// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CAllocatorLimit.h"

struct allocator_limit allocator_limit = {.limit = INTPTR_MAX};

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Platform support for the layers above: declarations, no policy.

#ifndef C_ALLOCATOR_SUPPORT_H
#define C_ALLOCATOR_SUPPORT_H

#include "annotations.h"
#include "authoring.h"
#include "blocks.h"
#include "error_number.h"
#include "exported_symbols.h"
#include "glibc_malloc.h"
#include "malloc_jumps.h"
#include "memory.h"
#include "misuse.h"
#include "sanitizers.h"
#include "statistics.h"

#endif

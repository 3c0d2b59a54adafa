// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The headers say everything; a C target needs one file to compile.
#include "CAllocatorSupport.h"

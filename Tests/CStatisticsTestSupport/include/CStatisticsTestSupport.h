// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_STATISTICS_TEST_SUPPORT_H
#define C_STATISTICS_TEST_SUPPORT_H

// glibc's own statistics, which Swift's view of its headers does not have.
#include <malloc.h>

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_MALLOC_FAMILY_H
#define C_MALLOC_FAMILY_H

// Nothing to call from Swift: importing this module links the malloc family, and libc before the Swift libraries.

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_GUEST_H
#define C_GUEST_H

// Gives a string that the caller releases.
void *guest_give(void);

// Releases a block of the caller's.
void guest_take(void *block);

#endif

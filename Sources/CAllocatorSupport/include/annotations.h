// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_ANNOTATIONS_H
#define ALLOCATOR_ANNOTATIONS_H

// A C function that allocator code may call. Swift's compiler takes a C function for one that may do anything; this tells
// it that the function neither calls back into the Swift runtime nor needs it, so that `@_noLocks` Swift code may use it.
#define ALLOCATOR_LEAF __attribute__((swift_attr("@_noLocks")))

#endif

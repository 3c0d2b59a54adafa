// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_EXPORTED_SYMBOLS_H
#define ALLOCATOR_EXPORTED_SYMBOLS_H

#include <stddef.h>

#include "annotations.h"

// The symbols by which an artifact's allocator is called. Exactly one `Global…` product defines them; where none is
// linked, weak definitions lead to the system allocator. The contract of each is that of the requirement of the same
// name in the Swift protocol `AllocatorABI`. The names and parameters of the five are those of Rust RFC 1183.

ALLOCATOR_LEAF void *_Nullable __rust_allocate(size_t size, size_t align);
ALLOCATOR_LEAF void __rust_deallocate(void *_Nonnull pointer, size_t old_size, size_t align);
ALLOCATOR_LEAF void *_Nullable __rust_reallocate(void *_Nonnull pointer, size_t old_size, size_t size, size_t align);
ALLOCATOR_LEAF size_t __rust_reallocate_inplace(void *_Nonnull pointer, size_t old_size, size_t size, size_t align);
ALLOCATOR_LEAF size_t __rust_usable_size(size_t size, size_t align);

// The name of the allocator behind the five: UTF-8, NUL-terminated, valid for the life of the process.
ALLOCATOR_LEAF const char *_Nonnull __swift_allocator_name(void);

// A function that only the library has which the allocator's memory comes from: the name of a symbol, NUL-terminated, as the
// requirement `librarySymbol` of the Swift protocol `LibraryAllocator` gives it. "" where the allocator is in the artifact alone.
ALLOCATOR_LEAF const char *_Nonnull __swift_allocator_library_symbol(void);

// Gives free memory back to the system, as the requirement `releaseFreeMemory` of the Swift protocol `MemoryReleasing` says.
// Returns 1 where the allocator behind the five can do that, whether or not there was any; else 0, and nothing is done.
ALLOCATOR_LEAF int __swift_release_free_memory(void);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What Swift cannot say: the addresses that functions have for the code that is linked together with this file, without
// declaring them, and without failing to link where one does not exist; and dl_iterate_phdr(3), which glibc's headers
// declare for those only who define _GNU_SOURCE, and Swift's view of them does not.

#ifndef C_ALLOCATOR_INSTALLATION_H
#define C_ALLOCATOR_INSTALLATION_H

#include <elf.h>
#include <stddef.h>

// The first members of `struct dl_phdr_info`.
struct allocator_image {
  Elf64_Addr bias;
  const char *_Nullable name;
  const Elf64_Phdr *_Nullable headers;
  Elf64_Half header_count;
};

// dl_iterate_phdr(3): calls `body` for each loaded image, the executable first, with the dynamic linker's lock held.
void allocator_for_each_image(
    void (*_Nonnull body)(const struct allocator_image *_Nonnull image, void *_Nonnull context),
    void *_Nonnull context);

struct allocator_entry_point {
  // The symbol.
  const char *_Nonnull name;
  // Where a call from this artifact goes; null where the process has no such function.
  const void *_Nullable address;
};

// The entry points of allocation. Where one of them is defined in this artifact, the linker has put its address here;
// elsewhere the dynamic linker has, through a relocation of the table's slot.
const struct allocator_entry_point *_Nonnull allocator_entry_point_table(void);
extern const size_t allocator_entry_point_count;

// In the shim of an artifact that exports the malloc family; null elsewhere.
const void *_Nullable allocator_exported_malloc(void);

// Whether AddressSanitizer or ThreadSanitizer has taken malloc in this artifact.
int allocator_is_sanitized(void);

#endif

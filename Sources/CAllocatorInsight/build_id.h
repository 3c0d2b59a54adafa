// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef BUILD_ID_H
#define BUILD_ID_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Copies the build id from notes (elf(5), "Notes"), if they have one of up to 32 bytes. Returns its size, or 0.
static inline uint32_t read_build_id(const char *notes, size_t size, uint8_t *build_id) {
  while (size >= sizeof(Elf64_Nhdr)) {
    const Elf64_Nhdr *note = (const void *)notes;
    size_t name = ((size_t)note->n_namesz + 3) & ~(size_t)3, description = ((size_t)note->n_descsz + 3) & ~(size_t)3;
    size_t length = sizeof *note + name + description;
    if (length > size) return 0;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz <= 32) {
      memcpy(build_id, notes + sizeof *note + name, note->n_descsz);
      return note->n_descsz;
    }
    notes += length;
    size -= length;
  }
  return 0;
}

#endif

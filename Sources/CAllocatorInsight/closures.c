// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Where a program makes the contexts of its closures. The metadata of a context is a constant that the code refers to where it
// allocates one, and nowhere else: so the functions with such references are found in the code of the file.

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "CAllocatorInsight.h"

// The kind of metadata of contexts, and of boxes: `HeapLocalVariable` in Swift's MetadataKind.def.
enum { CLOSURE_KIND = 0x400 };

#if defined(__x86_64__)

static bool has(const struct insight_symbols *file, uint64_t offset, uint64_t size) {
  return offset <= file->size && size <= file->size - offset;
}

static const Elf64_Phdr *segments(const struct insight_symbols *file, size_t *count) {
  if (!file->file || !has(file, 0, sizeof(Elf64_Ehdr))) return NULL;
  const Elf64_Ehdr *header = (const void *)file->file;
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff % 8 != 0) return NULL;
  if (!has(file, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr))) return NULL;
  *count = header->e_phnum;
  return (const void *)(file->file + header->e_phoff);
}

// Whether metadata of that kind is at an address of the file.
static bool is_closure(const struct insight_symbols *file, const Elf64_Phdr *segment, size_t count, uint64_t address) {
  for (size_t i = 0; i < count; i++) {
    if (segment[i].p_type != PT_LOAD || address < segment[i].p_vaddr) continue;
    uint64_t offset = address - segment[i].p_vaddr, kind;
    if (segment[i].p_filesz < sizeof kind || offset > segment[i].p_filesz - sizeof kind) continue;
    memcpy(&kind, file->file + segment[i].p_offset + offset, sizeof kind);
    return kind == CLOSURE_KIND;
  }
  return false;
}

static bool add(struct insight_symbols *file, uint64_t target, uint64_t from) {
  size_t count = file->reference_count;
  if ((count & (count - 1)) == 0) {
    void *larger = realloc(file->references, (count ? 2 * count : 1) * sizeof *file->references);
    if (!larger) return false;
    file->references = larger;
  }
  file->references[file->reference_count++] = (struct insight_reference){target, from};
  return true;
}

static int compare(const void *left, const void *right) {
  const struct insight_reference *a = left, *b = right;
  if (a->target != b->target) return a->target < b->target ? -1 : 1;
  return a->from < b->from ? -1 : a->from > b->from;
}

static void find(struct insight_symbols *file) {
  size_t count = 0;
  const Elf64_Phdr *segment = segments(file, &count);
  if (!segment) return;
  // Every segment lies within the file.
  for (size_t i = 0; i < count; i++)
    if (segment[i].p_type == PT_LOAD && !has(file, segment[i].p_offset, segment[i].p_filesz)) return;
  for (size_t i = 0; i < count; i++) {
    if (segment[i].p_type != PT_LOAD || !(segment[i].p_flags & PF_X)) continue;
    const uint8_t *start = (const uint8_t *)file->file + segment[i].p_offset, *end = start + segment[i].p_filesz;
    // lea register, [rip + distance]: a prefix with the register's size, 0x8d, a byte that says so, and four of the distance to
    // the next instruction.
    for (const uint8_t *code = start + 1; code + 6 <= end; code++) {
      code = memchr(code, 0x8d, (size_t)(end - code));
      if (!code || code + 6 > end) break;
      if ((code[-1] & 0xfb) != 0x48 || (code[1] & 0xc7) != 0x05) continue;
      int32_t distance;
      memcpy(&distance, code + 2, sizeof distance);
      uint64_t from = segment[i].p_vaddr + (uint64_t)(code - start), target = from + 6 + (uint64_t)(int64_t)distance;
      if (target % 8 == 0 && is_closure(file, segment, count, target) && !add(file, target, from)) return;
    }
  }
  qsort(file->references, file->reference_count, sizeof *file->references, compare);
}

#else

static void find(struct insight_symbols *file) { (void)file; }

#endif

const struct insight_reference *insight_closure_references(
  struct insight_symbols *file, uintptr_t metadata, size_t *count) {
  if (!file->has_references) find(file);
  file->has_references = 1;
  size_t low = 0, high = file->reference_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (file->references[middle].target < metadata)
      low = middle + 1;
    else
      high = middle;
  }
  *count = 0;
  while (low + *count < file->reference_count && file->references[low + *count].target == metadata) ++*count;
  return *count ? file->references + low : NULL;
}

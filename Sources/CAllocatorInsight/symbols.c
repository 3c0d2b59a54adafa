// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// In C, because a large program has a million symbols, and a debug build reads them, too.

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CAllocatorInsight.h"
#include "build_id.h"

static int compare(const void *left, const void *right) {
  const struct insight_symbol *a = left, *b = right;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  if (a->end != b->end) return a->end < b->end ? -1 : 1;
  // Of several names for one function, always the same.
  return strcmp(a->name, b->name);
}

// Whether the file has `size` bytes at `offset`.
static bool has(const struct insight_symbols *file, uint64_t offset, uint64_t size) {
  return offset <= file->size && size <= file->size - offset;
}

static void read_section(struct insight_symbols *result, const Elf64_Shdr *section, const Elf64_Shdr *strings) {
  if (!has(result, section->sh_offset, section->sh_size) || section->sh_offset % 8 != 0) return;
  if (!has(result, strings->sh_offset, strings->sh_size) || strings->sh_size == 0) return;
  const char *names = result->file + strings->sh_offset;
  // Every name ends within the file.
  if (names[strings->sh_size - 1] != 0) return;
  const Elf64_Sym *symbols = (const void *)(result->file + section->sh_offset);
  size_t count = section->sh_size / sizeof *symbols;
  result->symbols = malloc((count + 1) * sizeof *result->symbols);
  if (!result->symbols) return;
  for (size_t i = 0; i < count; i++) {
    if (ELF64_ST_TYPE(symbols[i].st_info) != STT_FUNC || symbols[i].st_value == 0) continue;
    if (symbols[i].st_name >= strings->sh_size) continue;
    uint64_t size = symbols[i].st_size ? symbols[i].st_size : 1;
    result->symbols[result->count++] =
      (struct insight_symbol){symbols[i].st_value, symbols[i].st_value + size, names + symbols[i].st_name};
  }
  qsort(result->symbols, result->count, sizeof *result->symbols, compare);
}

static void read_segments(struct insight_symbols *result, const Elf64_Ehdr *header) {
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff % 8 != 0) return;
  if (!has(result, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr))) return;
  const Elf64_Phdr *segments = (const void *)(result->file + header->e_phoff);
  uintptr_t low = UINTPTR_MAX;
  for (size_t i = 0; i < header->e_phnum; i++)
    if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr < low) low = segments[i].p_vaddr;
  if (low != UINTPTR_MAX) result->low = low & ~(uintptr_t)4095;
}

void insight_read_symbols(const char *path, struct insight_symbols *result) {
  *result = (struct insight_symbols){0};
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  struct stat status;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= (off_t)sizeof(Elf64_Ehdr)) {
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (file != MAP_FAILED) {
      result->file = file;
      result->size = (size_t)status.st_size;
    }
  }
  close(descriptor);
  if (!result->file) return;
  const Elf64_Ehdr *header = (const void *)result->file;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) return;
  if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shoff % 8 != 0) return;
  if (!has(result, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr))) return;
  const Elf64_Shdr *sections = (const void *)(result->file + header->e_shoff);
  read_segments(result, header);
  result->is_stripped = 1;
  for (size_t i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type == SHT_SYMTAB) result->is_stripped = 0;
    if (sections[i].sh_type == SHT_NOTE && result->build_id_size == 0 && sections[i].sh_offset % 4 == 0
        && has(result, sections[i].sh_offset, sections[i].sh_size))
      result->build_id_size =
        read_build_id(result->file + sections[i].sh_offset, sections[i].sh_size, result->build_id);
  }
  const uint32_t kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
  for (size_t kind = 0; kind < 2; kind++)
    for (size_t i = 0; i < header->e_shnum; i++) {
      if (result->symbols || sections[i].sh_type != kinds[kind]) continue;
      if (sections[i].sh_link < header->e_shnum) read_section(result, &sections[i], &sections[sections[i].sh_link]);
    }
}

const char *insight_find_symbol(const struct insight_symbols *symbols, uintptr_t address) {
  size_t low = 0, high = symbols->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (symbols->symbols[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || address >= symbols->symbols[low - 1].end) return NULL;
  return symbols->symbols[low - 1].name;
}

void insight_forget_symbols(struct insight_symbols *symbols) {
  free(symbols->symbols);
  free(symbols->references);
  if (symbols->file) munmap((void *)symbols->file, symbols->size);
  *symbols = (struct insight_symbols){0};
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "CAllocatorInsight.h"
#include "build_id.h"

// Of Swift's runtime and of C++'s, which that brings.
extern char *swift_demangle(const char *, size_t, char *, size_t *, uint32_t) __attribute__((weak));
extern char *__cxa_demangle(const char *, char *, size_t *, int *) __attribute__((weak));

struct search {
  uintptr_t address;
  struct insight_image *image;
};

static int look_at_image(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  struct search *search = context;
  uintptr_t low = UINTPTR_MAX, high = 0;
  bool is_it = false;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, end = start + info->dlpi_phdr[i].p_memsz;
    if (search->address >= start && search->address < end) is_it = true;
    if (start < low) low = start;
    if (end > high) high = end;
  }
  if (!is_it) return 0;
  struct insight_image *image = search->image;
  *image = (struct insight_image){.base = info->dlpi_addr, .low = low, .high = high};
  const char *path = info->dlpi_name && info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
  strncpy(image->path, path, sizeof image->path - 1);
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_NOTE && image->build_id_size == 0)
      image->build_id_size = read_build_id(
        (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), info->dlpi_phdr[i].p_filesz, image->build_id);
  return 1;
}

int insight_find_image(uintptr_t address, struct insight_image *image) {
  struct search search = {address, image};
  return dl_iterate_phdr(look_at_image, &search);
}

char *insight_demangle(const char *symbol) {
  if (symbol[0] == '$' && swift_demangle) return swift_demangle(symbol, strlen(symbol), NULL, NULL, 0);
  int status = 0;
  if (symbol[0] == '_' && symbol[1] == 'Z' && __cxa_demangle) return __cxa_demangle(symbol, NULL, NULL, &status);
  return NULL;
}

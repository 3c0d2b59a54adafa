// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "dynamic_symbols.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The linker's own: the image's ELF header and dynamic section. Absent from a program that is linked statically.
extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));
extern ElfW(Dyn) _DYNAMIC[] __attribute__((weak, visibility("hidden")));

static uintptr_t base(void) {
  return (uintptr_t)&__ehdr_start;
}

// The dynamic linker has added the image's address to the pointers of the dynamic section, unless that cannot be written.
static void *section(ElfW(Sxword) tag) {
  for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == tag) return (void *)(entry->d_un.d_ptr < base() ? entry->d_un.d_ptr + base() : entry->d_un.d_ptr);
  return NULL;
}

// A lookup in the table of DT_GNU_HASH: four words, a Bloom filter, buckets that hold the first symbol's number, and for each
// symbol from `first` on its hash, of which the lowest bit ends a bucket.
static ElfW(Sym) *find(const char *name) {
  ElfW(Sym) *symbols = section(DT_SYMTAB);
  const char *strings = section(DT_STRTAB);
  const uint32_t *table = section(DT_GNU_HASH);
  if (!symbols || !strings || !table) return NULL;
  uint32_t buckets = table[0], first = table[1], filter_words = table[2];
  const uint32_t *bucket = table + 4 + filter_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t)), *hashes = bucket + buckets;
  uint32_t hash = 5381;
  for (const char *character = name; *character; character++) hash = hash * 33 + (unsigned char)*character;
  uint32_t index = bucket[hash % buckets];
  if (index < first) return NULL;
  for (;; index++) {
    uint32_t other = hashes[index - first];
    if ((other | 1) == (hash | 1) && strcmp(strings + symbols[index].st_name, name) == 0) return &symbols[index];
    if (other & 1) return NULL;
  }
}

// Whether an address lies in a segment that is to be read only, and not run.
static bool is_plain_data(uintptr_t address) {
  const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(base() + __ehdr_start.e_phoff);
  for (int index = 0; index < __ehdr_start.e_phnum; index++)
    if (segment[index].p_type == PT_LOAD && address - base() - segment[index].p_vaddr < segment[index].p_memsz)
      return segment[index].p_flags == PF_R;
  return false;
}

// By the system call itself: the function of that name may be somebody's.
static bool protect(uintptr_t start, uintptr_t end, int protection) {
  return syscall(SYS_mprotect, start, end - start, protection) == 0;
}

bool withdraw_exports(const char *const *names) {
  if (!&__ehdr_start || !_DYNAMIC) return false;
  uintptr_t start = UINTPTR_MAX, end = 0, page = getauxval(AT_PAGESZ);
  for (const char *const *name = names; *name; name++) {
    ElfW(Sym) *symbol = find(*name);
    if (!symbol) continue;
    if (!is_plain_data((uintptr_t)symbol)) return false;
    if ((uintptr_t)symbol < start) start = (uintptr_t)symbol;
    if ((uintptr_t)(symbol + 1) > end) end = (uintptr_t)(symbol + 1);
  }
  if (!end) return true;
  start &= -page;
  end = (end + page - 1) & -page;
  if (!protect(start, end, PROT_READ | PROT_WRITE)) return false;
  for (const char *const *name = names; *name; name++) {
    ElfW(Sym) *symbol = find(*name);
    if (!symbol) continue;
    // What an undefined symbol looks like.
    symbol->st_value = 0;
    symbol->st_shndx = SHN_UNDEF;
  }
  protect(start, end, PROT_READ);
  return true;
}

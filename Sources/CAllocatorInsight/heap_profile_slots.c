// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The slots of the dynamic linker: words of an image that hold the address of a function of another one (System V ABI, "Dynamic
// Linking"). No record is kept of them: a slot that holds a hook belongs to the function that the hook stands for.

#include "heap_profile_internal.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT, GLOB_DAT = R_X86_64_GLOB_DAT, ABSOLUTE = R_X86_64_64 };
#elif defined(__aarch64__)
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT, GLOB_DAT = R_AARCH64_GLOB_DAT, ABSOLUTE = R_AARCH64_ABS64 };
#else
#error "which relocations are slots?"
#endif

// The function of Swift's concurrency that calls jobs, of which a profile has to know where it is: only seen where the runtime is
// linked statically, into one image with everything else.
extern const char run_job[] __asm__("_ZN5swift34runJobInEstablishedExecutorContextEPNS_3JobE") __attribute__((weak));
// More bytes than it has, and fewer than to the end of the runtime's code that it is a part of.
enum { RUN_JOB_SIZE = 1024 };

struct walk {
  bool is_on;
  // Where code is matters, and slots do not.
  bool has_jumps;
  struct profile_slots found;
  uint32_t range_count;
  struct profile_range *ranges;
  struct profile_known_code known;
  uintptr_t page_size;
};

struct image {
  uintptr_t low, high;
  // What the dynamic linker makes read-only when it has written the slots in it; empty where there is none.
  uintptr_t protected_low, protected_high;
  bool had_slot;
};

// Whether a page cannot be written: asked of the kernel by writing a word over itself that nobody else writes.
static bool is_read_only(uintptr_t *slot, uintptr_t value) {
  struct iovec here = {&value, sizeof value}, there = {slot, sizeof value};
  if (process_vm_writev(getpid(), &here, 1, &there, 1, 0) == (ssize_t)sizeof value) return false;
  // Where the call itself is forbidden, nothing is known: as usual, then.
  return true;
}

static void write_slot(struct walk *walk, struct image *image, uintptr_t *slot, uintptr_t before, uintptr_t after) {
  bool is_protected = (uintptr_t)slot >= image->protected_low && (uintptr_t)slot < image->protected_high;
  void *page = (void *)((uintptr_t)slot & ~(walk->page_size - 1));
  if (is_protected) {
    // An image that is being loaded: the linker is about to protect it, perhaps between the two calls below.
    if (!is_read_only(slot, before)) {
      walk->found.pending++;
      return;
    }
    if (mprotect(page, walk->page_size, PROT_READ | PROT_WRITE) != 0) {
      walk->found.refused++;
      return;
    }
  }
  __atomic_store_n(slot, after, __ATOMIC_RELEASE);
  if (is_protected) mprotect(page, walk->page_size, PROT_READ);
}

static void look_at_slot(struct walk *walk, struct image *image, uintptr_t *slot, unsigned type, const char *name) {
  const struct profile_hook *hook = NULL;
  for (uint32_t i = 0; i < profile_hook_count && !hook; i++)
    if (strcmp(name, profile_hooks[i].name) == 0) hook = &profile_hooks[i];
  if (!hook || !*hook->real) return;
  uintptr_t value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
  uintptr_t real = (uintptr_t)*hook->real, own = (uintptr_t)hook->hook;
  if (!walk->is_on) {
    if (value == own) write_slot(walk, image, slot, own, real);
    return;
  }
  // A function's slot that has not been used yet leads into the image itself. Anything else is another function of that name.
  bool is_unbound = type == JUMP_SLOT && value >= image->low && value < image->high;
  if (value != own && (value == real || is_unbound)) write_slot(walk, image, slot, value, own);
  if (__atomic_load_n(slot, __ATOMIC_ACQUIRE) == own) {
    walk->found.slots++;
    image->had_slot = true;
  }
}

static bool begins_like_a_hook(char first) { return first && strchr("_acfmprv", first); }

static void look_at_relocations(
  struct walk *walk, struct image *image, uintptr_t base, const ElfW(Rela) * relocations, size_t size,
  const ElfW(Sym) * symbols, const char *strings) {
  for (size_t i = 0; i < size / sizeof *relocations; i++) {
    unsigned type = ELF64_R_TYPE(relocations[i].r_info);
    if (type != JUMP_SLOT && type != GLOB_DAT && type != ABSOLUTE) continue;
    if (relocations[i].r_addend != 0) continue;
    const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(relocations[i].r_info)];
    const char *name = strings + symbol->st_name;
    uintptr_t slot = base + relocations[i].r_offset;
    if (!begins_like_a_hook(name[0]) || slot % sizeof(uintptr_t) != 0) continue;
    look_at_slot(walk, image, (uintptr_t *)slot, type, name);
  }
}

static int look_at_image(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  struct walk *walk = context;
  struct image image = {.low = UINTPTR_MAX};
  const ElfW(Dyn) *dynamic = NULL;
  bool is_concurrency = info->dlpi_name && strstr(info->dlpi_name, "libswift_Concurrency");
  bool is_libc = info->dlpi_name && strstr(info->dlpi_name, "/libc.so");
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    uintptr_t low = info->dlpi_addr + header->p_vaddr, high = low + header->p_memsz;
    if (header->p_type == PT_DYNAMIC) dynamic = (const ElfW(Dyn) *)low;
    if (header->p_type == PT_GNU_RELRO) {
      // As the linker rounds it.
      image.protected_low = low & ~(walk->page_size - 1);
      image.protected_high = high & ~(walk->page_size - 1);
    }
    if (header->p_type != PT_LOAD) continue;
    if (low < image.low) image.low = low;
    if (high > image.high) image.high = high;
    if (!(header->p_flags & PF_X)) continue;
    if (walk->ranges && walk->range_count < PROFILE_MOST_RANGES)
      walk->ranges[walk->range_count++] = (struct profile_range){low, high};
    if (is_concurrency) walk->known.concurrency = (struct profile_range){low, high};
    if (is_libc) walk->known.libc = (struct profile_range){low, high};
  }
  if (walk->has_jumps) return 0;
  if (!dynamic || (info->dlpi_name && strstr(info->dlpi_name, "linux-vdso"))) return 0;

  const ElfW(Sym) *symbols = NULL;
  const char *strings = NULL;
  uintptr_t tables[2] = {0, 0};
  size_t sizes[2] = {0, 0};
  bool has_addends = true;
  for (; dynamic->d_tag != DT_NULL; dynamic++) {
    uintptr_t address = dynamic->d_un.d_ptr;
    // glibc has made most of them addresses.
    if (address < info->dlpi_addr) address += info->dlpi_addr;
    switch (dynamic->d_tag) {
      case DT_SYMTAB: symbols = (const ElfW(Sym) *)address; break;
      case DT_STRTAB: strings = (const char *)address; break;
      case DT_JMPREL: tables[0] = address; break;
      case DT_PLTRELSZ: sizes[0] = dynamic->d_un.d_val; break;
      case DT_PLTREL: has_addends = dynamic->d_un.d_val == DT_RELA; break;
      case DT_RELA: tables[1] = address; break;
      case DT_RELASZ: sizes[1] = dynamic->d_un.d_val; break;
      default: break;
    }
  }
  if (!symbols || !strings) return 0;
  if (tables[0] && has_addends)
    look_at_relocations(walk, &image, info->dlpi_addr, (void *)tables[0], sizes[0], symbols, strings);
  if (tables[1]) look_at_relocations(walk, &image, info->dlpi_addr, (void *)tables[1], sizes[1], symbols, strings);
  if (image.had_slot) walk->found.images++;
  return 0;
}

struct profile_slots profile_write_slots(bool is_on) {
  struct walk walk = {.is_on = is_on, .has_jumps = profile_find_jumps(), .page_size = (uintptr_t)sysconf(_SC_PAGESIZE)};
  int code = errno;
  if (is_on) walk.ranges = profile_ranges_to_fill();
  dl_iterate_phdr(look_at_image, &walk);
  if (!walk.known.concurrency.high && run_job)
    walk.known.concurrency = (struct profile_range){(uintptr_t)run_job, (uintptr_t)run_job + RUN_JOB_SIZE};
  if (is_on) profile_publish_ranges(walk.range_count, walk.known);
  if (walk.has_jumps) {
    walk.found.slots = profile_write_jumps(is_on);
    walk.found.images = walk.found.refused = 1;
    if (walk.found.slots) walk.found.refused = 0;
  }
  errno = code;
  return walk.found;
}

static int read_changes(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  *(uint64_t *)context = (uint64_t)info->dlpi_adds + ((uint64_t)info->dlpi_subs << 32);
  return 1;
}

uint64_t insight_image_changes(void) {
  uint64_t changes = 0;
  dl_iterate_phdr(read_changes, &changes);
  return changes;
}

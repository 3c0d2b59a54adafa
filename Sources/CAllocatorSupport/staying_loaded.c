// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <sys/auxv.h>

// An image that holds an allocator stays mapped when it is closed (dlclose): its blocks may be alive, and each thread that has
// allocated calls it once more when it ends, as every fork does. A library for LD_PRELOAD is linked that way (`-z nodelete`). One that a
// user builds gets there when it is loaded.

// The linker's own: the image's ELF header and dynamic section.
extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));
extern ElfW(Dyn) _DYNAMIC[] __attribute__((weak, visibility("hidden")));

static bool is_program(void) {
  return !_DYNAMIC || (const char *)&__ehdr_start + __ehdr_start.e_phoff == (const char *)getauxval(AT_PHDR);
}

static bool stays_anyway(void) {
  for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_FLAGS_1) return entry->d_un.d_val & DF_1_NODELETE;
  return false;
}

__attribute__((constructor)) static void stay_loaded(void) {
  Dl_info image;
  if (is_program() || stays_anyway() || !dladdr((const void *)stay_loaded, &image)) return;
  // Marks the image that is loaded already; what is open besides is counted, and closed again.
  void *handle = dlopen(image.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  if (handle) dlclose(handle);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "CAllocatorInsight.h"

// In an artifact that exports the malloc family; null elsewhere.
extern const char exported_malloc[] __asm__("__swift_malloc") __attribute__((weak));
const struct allocator_malloc_jump *own_jumps(size_t *) __asm__("__swift_malloc_jumps") __attribute__((weak));
extern const char asan_init[] __asm__("__asan_init") __attribute__((weak));
extern const char tsan_init[] __asm__("__tsan_init") __attribute__((weak));

typedef int control_function(const char *, void *, size_t *, void *, size_t);
typedef int property_function(const char *, size_t *);

static struct {
  struct insight_allocator allocator;
  int (*statistics)(struct allocator_statistics *, size_t);
  int (*release)(void);
  long (*walk)(struct allocator_walk *, struct allocator_block *, size_t);
  control_function *control;
  property_function *property;
  void (*release_tcmalloc)(void);
  void (*process_info)(size_t *, size_t *, size_t *, size_t *, size_t *, size_t *, size_t *, size_t *);
  void (*collect)(bool);
} process;

static const void *image_of(const void *address, const char **path) {
  Dl_info info;
  if (!address || !dladdr(address, &info)) return NULL;
  if (path && info.dli_fname) *path = info.dli_fname;
  return info.dli_fbase;
}

// The function of that name, if it is the one in the image that has malloc.
static void *function(const char *name, const void *image, void *handle) {
  void *address = dlsym(RTLD_DEFAULT, name);
  if (address && image_of(address, NULL) == image) return address;
  address = handle ? dlsym(handle, name) : NULL;
  return address && image_of(address, NULL) == image ? address : NULL;
}

static void find_allocator(void) {
  struct insight_allocator found = {INSIGHT_UNKNOWN, "unknown", ""};
  const void *malloc_address = dlsym(RTLD_DEFAULT, "malloc");
  const char *path = "";
  const void *image = image_of(malloc_address, &path);
  // Handles of images that are there already; they are never unloaded while they are malloc.
  void *handle = *path ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
  found.image = path;
  if (asan_init || tsan_init) {
    found.kind = INSIGHT_SANITIZER;
    found.name = allocator_sanitizer() ? allocator_sanitizer() : "a sanitizer";
  } else if (exported_malloc && image_of(exported_malloc, NULL) == image) {
    found.kind = INSIGHT_LINKED;
    found.name = __swift_allocator_name();
  } else if ((process.statistics = function("__swift_allocator_statistics", image, handle))) {
    const char *(*name)(void) = function("__swift_allocator_name", image, handle);
    process.release = function("__swift_release_free_memory", image, handle);
    process.walk = function("__swift_allocator_walk_blocks", image, handle);
    found.kind = INSIGHT_SWIFT;
    found.name = name ? name() : "custom";
  } else if ((process.control = function("mallctl", image, handle))) {
    found.kind = INSIGHT_JEMALLOC;
    found.name = "jemalloc";
  } else if ((process.property = function("MallocExtension_GetNumericProperty", image, handle))) {
    process.release_tcmalloc = function("MallocExtension_ReleaseFreeMemory", image, handle);
    found.kind = INSIGHT_TCMALLOC;
    found.name = "tcmalloc";
  } else if ((process.collect = function("mi_collect", image, handle))) {
    process.process_info = function("mi_process_info", image, handle);
    found.kind = INSIGHT_MIMALLOC;
    found.name = "mimalloc";
  } else if (function("__libc_malloc", image, handle)) {
    found.kind = INSIGHT_GLIBC;
    found.name = "glibc";
  }
  process.allocator = found;
}

struct insight_allocator insight_process_allocator(void) {
  // Found out by one thread alone, whoever comes first.
  static int state;
  int none = 0;
  if (__atomic_compare_exchange_n(&state, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    find_allocator();
    __atomic_store_n(&state, 2, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != 2) {
  }
  return process.allocator;
}

// jemalloc(3).

static int64_t jemalloc_number(const char *name) {
  size_t value = 0, size = sizeof value;
  return process.control(name, &value, &size, NULL, 0) == 0 ? (int64_t)value : ALLOCATOR_UNKNOWN;
}

static void read_jemalloc(struct allocator_statistics *statistics) {
  uint64_t epoch = 1;
  process.control("epoch", NULL, NULL, &epoch, sizeof epoch);
  int64_t allocated = jemalloc_number("stats.allocated"), cached = jemalloc_number("stats.arenas.4096.tcache_bytes");
  statistics->live_bytes = allocated < 0 ? allocated : allocated - (cached > 0 ? cached : 0);
  statistics->active_bytes = jemalloc_number("stats.active");
  statistics->resident_bytes = jemalloc_number("stats.resident");
  statistics->mapped_bytes = jemalloc_number("stats.mapped");
  statistics->retained_bytes = jemalloc_number("stats.retained");
  statistics->metadata_bytes = jemalloc_number("stats.metadata");
  int64_t dirty = jemalloc_number("stats.arenas.4096.pdirty"), muzzy = jemalloc_number("stats.arenas.4096.pmuzzy");
  int64_t page = jemalloc_number("arenas.page");
  if (dirty >= 0 && muzzy >= 0 && page > 0) {
    statistics->releasable_bytes = (dirty + muzzy) * page;
    if (statistics->active_bytes >= 0 && statistics->live_bytes >= 0)
      statistics->free_bytes = statistics->releasable_bytes + statistics->active_bytes - statistics->live_bytes;
  }
}

// gperftools' malloc_extension_c.h.

static int64_t tcmalloc_number(const char *name) {
  size_t value = 0;
  return process.property(name, &value) ? (int64_t)value : ALLOCATOR_UNKNOWN;
}

static void read_tcmalloc(struct allocator_statistics *statistics) {
  int64_t heap = tcmalloc_number("generic.heap_size");
  statistics->live_bytes = tcmalloc_number("generic.current_allocated_bytes");
  statistics->releasable_bytes = tcmalloc_number("tcmalloc.pageheap_free_bytes");
  statistics->retained_bytes = tcmalloc_number("tcmalloc.pageheap_unmapped_bytes");
  if (heap >= 0 && statistics->retained_bytes >= 0) {
    // The heap's size has what was given back in it.
    statistics->mapped_bytes = heap - statistics->retained_bytes;
    statistics->resident_bytes = statistics->mapped_bytes;
    if (statistics->live_bytes >= 0) statistics->free_bytes = statistics->mapped_bytes - statistics->live_bytes;
  }
}

// mimalloc.h: a release build keeps no count of live bytes.

static void read_mimalloc(struct allocator_statistics *statistics) {
  size_t none, committed = 0;
  if (!process.process_info) return;
  process.process_info(&none, &none, &none, &none, &none, &committed, &none, &none);
  statistics->mapped_bytes = (int64_t)committed;
}

int insight_read_statistics(struct allocator_statistics *statistics) {
  memset(statistics, 0xff, sizeof *statistics);
  switch (insight_process_allocator().kind) {
    case INSIGHT_LINKED: return __swift_allocator_statistics(statistics, sizeof *statistics);
    case INSIGHT_SWIFT: return process.statistics(statistics, sizeof *statistics);
    case INSIGHT_GLIBC: allocator_glibc_statistics(statistics); return 1;
    case INSIGHT_JEMALLOC: read_jemalloc(statistics); return 1;
    case INSIGHT_TCMALLOC: read_tcmalloc(statistics); return 1;
    case INSIGHT_MIMALLOC: read_mimalloc(statistics); return 1;
    case INSIGHT_UNKNOWN:
    case INSIGHT_SANITIZER: return 0;
  }
  return 0;
}

int insight_release_free_memory(void) {
  switch (insight_process_allocator().kind) {
    case INSIGHT_LINKED: return __swift_release_free_memory();
    case INSIGHT_SWIFT: return process.release ? process.release() : 0;
    case INSIGHT_GLIBC: allocator_glibc_trim(); return 1;
    case INSIGHT_JEMALLOC:
      process.control("thread.tcache.flush", NULL, NULL, NULL, 0);
      // 4096 is MALLCTL_ARENAS_ALL.
      return process.control("arena.4096.purge", NULL, NULL, NULL, 0) == 0;
    case INSIGHT_TCMALLOC:
      if (!process.release_tcmalloc) return 0;
      process.release_tcmalloc();
      return 1;
    case INSIGHT_MIMALLOC: process.collect(true); return 1;
    case INSIGHT_UNKNOWN:
    case INSIGHT_SANITIZER: return 0;
  }
  return 0;
}

long insight_walk_blocks(struct allocator_walk *walk, struct allocator_block *blocks, size_t capacity) {
  switch (insight_process_allocator().kind) {
    case INSIGHT_LINKED: return __swift_allocator_walk_blocks(walk, blocks, capacity);
    case INSIGHT_SWIFT: return process.walk ? process.walk(walk, blocks, capacity) : -1;
    default: return -1;
  }
}

const struct allocator_malloc_jump *insight_malloc_jumps(size_t *count) {
  *count = 0;
  return insight_process_allocator().kind == INSIGHT_LINKED && own_jumps ? own_jumps(count) : NULL;
}

int64_t insight_peer_user(int socket) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
  return credentials.uid;
}

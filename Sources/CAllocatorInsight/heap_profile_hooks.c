// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "heap_profile_internal.h"

#include <dlfcn.h>
#include <string.h>

// By dlsym, and not by name: a reference by name would be a slot that is pointed at the hook, which would call itself.
static struct {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void *(*reallocarray)(void *, size_t, size_t);
  int (*posix_memalign)(void **, size_t, size_t);
  void *(*aligned_alloc)(size_t, size_t);
  void *(*memalign)(size_t, size_t);
  void *(*valloc)(size_t);
  void *(*pvalloc)(size_t);
  void (*free)(void *);
  void (*cfree)(void *);
  void (*free_sized)(void *, size_t);
  void (*free_aligned_sized)(void *, size_t, size_t);
  void *(*new_)(size_t), *(*new_array)(size_t);
  void *(*new_nothrow)(size_t, const void *), *(*new_array_nothrow)(size_t, const void *);
  void *(*new_aligned)(size_t, size_t), *(*new_array_aligned)(size_t, size_t);
  void *(*new_aligned_nothrow)(size_t, size_t, const void *), *(*new_array_aligned_nothrow)(size_t, size_t, const void *);
  void (*delete_)(void *), (*delete_array)(void *);
  void (*delete_sized)(void *, size_t), (*delete_array_sized)(void *, size_t);
  void (*delete_nothrow)(void *, const void *), (*delete_array_nothrow)(void *, const void *);
  void (*delete_aligned)(void *, size_t), (*delete_array_aligned)(void *, size_t);
  void (*delete_sized_aligned)(void *, size_t, size_t), (*delete_array_sized_aligned)(void *, size_t, size_t);
} real;

#define FRAME ((const uintptr_t *)__builtin_frame_address(0))

static inline __attribute__((always_inline)) void count(void *block, size_t size, const uintptr_t *frame) {
  if (!block) return;
  profile_thread.left -= (int64_t)size;
  if (__builtin_expect(
        (profile_thread.left < 0)
          | (profile_thread.generation != __atomic_load_n(&profile_attention, __ATOMIC_RELAXED)),
        0))
    profile_attend(block, size, frame);
}

static inline __attribute__((always_inline)) void release(void *block) {
  if (__builtin_expect(!profile_may_be_sampled(block), 1)) return;
  struct profile_released released;
  profile_release(block, &released);
}

static void *hook_malloc(size_t size) {
  void *block = real.malloc(size);
  count(block, size, FRAME);
  return block;
}

static void *hook_calloc(size_t number, size_t size) {
  void *block = real.calloc(number, size);
  count(block, number * size, FRAME);
  return block;
}

// The old block is given up first: another thread can have its address before realloc returns.
#define RESIZE(old, size, call)                                                  \
  struct profile_released released;                                              \
  bool was_known = old && profile_may_be_sampled(old);                           \
  if (was_known) profile_release(old, &released);                                \
  void *block = call;                                                            \
  if (!block && size && was_known) profile_take_back(old, &released);            \
  count(block, size, FRAME);                                                     \
  return block

static void *hook_realloc(void *old, size_t size) { RESIZE(old, size, real.realloc(old, size)); }

static void *hook_reallocarray(void *old, size_t number, size_t each) {
  size_t size;
  // What overflows fails, and leaves the old block as it is.
  if (__builtin_mul_overflow(number, each, &size)) return real.reallocarray(old, number, each);
  RESIZE(old, size, real.reallocarray(old, number, each));
}

static int hook_posix_memalign(void **result, size_t alignment, size_t size) {
  int code = real.posix_memalign(result, alignment, size);
  if (code == 0) count(*result, size, FRAME);
  return code;
}

#define ALLOCATION(name, parameters, size, call) \
  static void *hook_##name parameters {          \
    void *block = call;                          \
    count(block, size, FRAME);                   \
    return block;                                \
  }
ALLOCATION(aligned_alloc, (size_t alignment, size_t size), size, real.aligned_alloc(alignment, size))
ALLOCATION(memalign, (size_t alignment, size_t size), size, real.memalign(alignment, size))
ALLOCATION(valloc, (size_t size), size, real.valloc(size))
ALLOCATION(pvalloc, (size_t size), size, real.pvalloc(size))
// C++: only where the allocator has its own operators; libstdc++'s call malloc, by a slot.
ALLOCATION(new_, (size_t size), size, real.new_(size))
ALLOCATION(new_array, (size_t size), size, real.new_array(size))
ALLOCATION(new_nothrow, (size_t size, const void *tag), size, real.new_nothrow(size, tag))
ALLOCATION(new_array_nothrow, (size_t size, const void *tag), size, real.new_array_nothrow(size, tag))
ALLOCATION(new_aligned, (size_t size, size_t alignment), size, real.new_aligned(size, alignment))
ALLOCATION(new_array_aligned, (size_t size, size_t alignment), size, real.new_array_aligned(size, alignment))
ALLOCATION(
  new_aligned_nothrow, (size_t size, size_t alignment, const void *tag), size,
  real.new_aligned_nothrow(size, alignment, tag))
ALLOCATION(
  new_array_aligned_nothrow, (size_t size, size_t alignment, const void *tag), size,
  real.new_array_aligned_nothrow(size, alignment, tag))

#define RELEASE(name, parameters, call) \
  static void hook_##name parameters {  \
    release(block);                     \
    call;                               \
  }
RELEASE(free, (void *block), real.free(block))
RELEASE(cfree, (void *block), real.cfree(block))
RELEASE(free_sized, (void *block, size_t size), real.free_sized(block, size))
RELEASE(
  free_aligned_sized, (void *block, size_t alignment, size_t size), real.free_aligned_sized(block, alignment, size))
RELEASE(delete_, (void *block), real.delete_(block))
RELEASE(delete_array, (void *block), real.delete_array(block))
RELEASE(delete_sized, (void *block, size_t size), real.delete_sized(block, size))
RELEASE(delete_array_sized, (void *block, size_t size), real.delete_array_sized(block, size))
RELEASE(delete_nothrow, (void *block, const void *tag), real.delete_nothrow(block, tag))
RELEASE(delete_array_nothrow, (void *block, const void *tag), real.delete_array_nothrow(block, tag))
RELEASE(delete_aligned, (void *block, size_t alignment), real.delete_aligned(block, alignment))
RELEASE(delete_array_aligned, (void *block, size_t alignment), real.delete_array_aligned(block, alignment))
RELEASE(
  delete_sized_aligned, (void *block, size_t size, size_t alignment),
  real.delete_sized_aligned(block, size, alignment))
RELEASE(
  delete_array_sized_aligned, (void *block, size_t size, size_t alignment),
  real.delete_array_sized_aligned(block, size, alignment))

// The names of C++ are those of a 64-bit system's ABI (Itanium C++ ABI).
const struct profile_hook profile_hooks[] = {
#define HOOK(symbol, name) {symbol, (void *)hook_##name, (void **)&real.name}
  HOOK("malloc", malloc),
  HOOK("calloc", calloc),
  HOOK("realloc", realloc),
  HOOK("reallocarray", reallocarray),
  HOOK("posix_memalign", posix_memalign),
  HOOK("aligned_alloc", aligned_alloc),
  HOOK("memalign", memalign),
  HOOK("valloc", valloc),
  HOOK("pvalloc", pvalloc),
  HOOK("free", free),
  HOOK("cfree", cfree),
  HOOK("free_sized", free_sized),
  HOOK("free_aligned_sized", free_aligned_sized),
  HOOK("_Znwm", new_),
  HOOK("_Znam", new_array),
  HOOK("_ZnwmRKSt9nothrow_t", new_nothrow),
  HOOK("_ZnamRKSt9nothrow_t", new_array_nothrow),
  HOOK("_ZnwmSt11align_val_t", new_aligned),
  HOOK("_ZnamSt11align_val_t", new_array_aligned),
  HOOK("_ZnwmSt11align_val_tRKSt9nothrow_t", new_aligned_nothrow),
  HOOK("_ZnamSt11align_val_tRKSt9nothrow_t", new_array_aligned_nothrow),
  HOOK("_ZdlPv", delete_),
  HOOK("_ZdaPv", delete_array),
  HOOK("_ZdlPvm", delete_sized),
  HOOK("_ZdaPvm", delete_array_sized),
  HOOK("_ZdlPvRKSt9nothrow_t", delete_nothrow),
  HOOK("_ZdaPvRKSt9nothrow_t", delete_array_nothrow),
  HOOK("_ZdlPvSt11align_val_t", delete_aligned),
  HOOK("_ZdaPvSt11align_val_t", delete_array_aligned),
  HOOK("_ZdlPvmSt11align_val_t", delete_sized_aligned),
  HOOK("_ZdaPvmSt11align_val_t", delete_array_sized_aligned),
#undef HOOK
};
const uint32_t profile_hook_count = sizeof profile_hooks / sizeof profile_hooks[0];

static const void *image_of(const void *address) {
  Dl_info info;
  return address && dladdr(address, &info) ? info.dli_fbase : NULL;
}

void profile_find_real_functions(void) {
  const void *image = image_of(dlsym(RTLD_DEFAULT, "malloc")), *libc = image_of(dlsym(RTLD_DEFAULT, "__libc_malloc"));
  for (uint32_t i = 0; i < profile_hook_count; i++) {
    if (*profile_hooks[i].real) continue;
    const char *name = profile_hooks[i].name;
    void *function = dlsym(RTLD_DEFAULT, name);
    if (name[0] == '_' && image_of(function) != image) function = NULL;
    // glibc's calls realloc, by a slot.
    if (function && strcmp(name, "reallocarray") == 0 && image_of(function) == libc) function = NULL;
    *profile_hooks[i].real = function;
  }
}

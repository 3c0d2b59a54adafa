// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#define _GNU_SOURCE

#include "CNestSupport.h"
#include "system_call.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

// MARK: System calls

static inline int is_error(long result) { return (unsigned long)result > -4096ul; }

// The sanitizer follows memory by the C library's functions.
static long map_memory(void *hint, size_t size, int flags) {
  flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (SANITIZED) {
    int error = errno;
    void *address = mmap(hint, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    long result = address == MAP_FAILED ? -errno : (long)address;
    errno = error;
    return result;
  }
  return system_call(SYS_mmap, (long)hint, (long)size, PROT_READ | PROT_WRITE, flags, -1, 0);
}

static long unmap_memory(void *address, size_t size) {
  if (SANITIZED) {
    int error = errno;
    long result = munmap(address, size) == 0 ? 0 : -errno;
    errno = error;
    return result;
  }
  return system_call(SYS_munmap, (long)address, (long)size, 0, 0, 0, 0);
}

static long remap_memory(void *address, size_t size, size_t new_size, int flags, void *target) {
  return system_call(SYS_mremap, (long)address, (long)size, (long)new_size, flags, (long)target, 0);
}

// MARK: Failures that tests ask for

static long calls_until_failure, failures_left, failures;

void nest_fail_calls(unsigned calls, long nth, long count) {
  if (!nest_unseal()) return;
  __atomic_store_n(&nest_sealed.failing_calls, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&calls_until_failure, nth, __ATOMIC_SEQ_CST);
  __atomic_store_n(&failures_left, count, __ATOMIC_SEQ_CST);
  __atomic_store_n(&failures, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&nest_sealed.failing_calls, calls, __ATOMIC_SEQ_CST);
  nest_seal_again();
}

long nest_failed_calls(void) { return __atomic_load_n(&failures, __ATOMIC_SEQ_CST); }

int nest_must_fail(unsigned call) {
  if (__builtin_expect((__atomic_load_n(&nest_sealed.failing_calls, __ATOMIC_RELAXED) & call) == 0, 1)) return 0;
  if (__atomic_fetch_sub(&calls_until_failure, 1, __ATOMIC_RELAXED) > 0) return 0;
  if (__atomic_fetch_sub(&failures_left, 1, __ATOMIC_RELAXED) <= 0) return 0;
  __atomic_store_n(&calls_until_failure, 0, __ATOMIC_RELAXED);
  __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
  return 1;
}

// MARK: Memory

size_t nest_page_size(void) {
  size_t size = __atomic_load_n(&nest_sealed.page_size, __ATOMIC_RELAXED);
  // Before the constructor runs, at the latest.
  if (size == 0) {
    size = getauxval(AT_PAGESZ);
    __atomic_store_n(&nest_sealed.page_size, size, __ATOMIC_RELAXED);
  }
  return size;
}

// Memory then begins at multiples of it, as it would with such pages.
void nest_set_page_size(size_t size) {
  if (!nest_unseal()) return;
  __atomic_store_n(&nest_sealed.set_page_size, size, __ATOMIC_RELAXED);
  __atomic_store_n(&nest_sealed.page_size, size > 0 ? size : getauxval(AT_PAGESZ), __ATOMIC_RELAXED);
  nest_seal_again();
}

void nest_set_address_bits(unsigned bits) {
  if (!nest_unseal()) return;
  __atomic_store_n(&nest_sealed.address_bits, bits, __ATOMIC_RELAXED);
  nest_seal_again();
}

// Whether all of it can be told apart. The system hands out addresses beyond 47 or 48 bits only to who asks for one, where it
// has such addresses at all; but that is its habit, not its promise.
static int is_in_range(unsigned long address, size_t size) {
  return (address + size - 1) >> __atomic_load_n(&nest_sealed.address_bits, __ATOMIC_RELAXED) == 0;
}

void *nest_map(void *hint, size_t size) {
  if (nest_must_fail(NEST_MAP)) return NULL;
  size_t more = __atomic_load_n(&nest_sealed.set_page_size, __ATOMIC_RELAXED);
  long result = map_memory(hint, size + more, 0);
  if (is_error(result)) return NULL;
  if (!is_in_range((unsigned long)result, size + more)) {
    unmap_memory((void *)result, size + more);
    return NULL;
  }
  if (more == 0) return (void *)result;
  char *start = (char *)(((unsigned long)result + more - 1) & -more);
  if (start > (char *)result) unmap_memory((void *)result, (size_t)(start - (char *)result));
  if (start < (char *)result + more) unmap_memory(start + size, (size_t)((char *)result + more - start));
  return start;
}

// Kernels before 4.17 take this for nothing more than a hint.
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

int nest_map_at(void *address, size_t size) {
  if (nest_must_fail(NEST_MAP) || !is_in_range((unsigned long)address, size)) return 0;
  long result = map_memory(address, size, MAP_FIXED_NOREPLACE);
  if (result == (long)address) return 1;
  if (!is_error(result)) unmap_memory((void *)result, size);
  return 0;
}

int nest_unmap(void *address, size_t size) {
  if (nest_must_fail(NEST_UNMAP)) return 0;
  return !is_error(unmap_memory(address, size));
}

int nest_purge(void *address, size_t size) {
  if (nest_must_fail(NEST_PURGE)) return 0;
  // Whole pages only, as the system itself has it.
  if ((((uintptr_t)address | size) & (nest_page_size() - 1)) != 0) return 0;
  return !is_error(system_call(SYS_madvise, (long)address, (long)size, MADV_DONTNEED, 0, 0, 0));
}

void nest_set_huge_pages(int are_given) {
  if (!nest_unseal()) return;
  __atomic_store_n(&nest_sealed.huge_pages, (uint32_t)are_given, __ATOMIC_RELAXED);
  nest_seal_again();
}

void nest_look_for_huge_pages(void) {
  static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
  long file = system_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (is_error(file)) return;
  char text[64];
  long length = system_call(SYS_read, file, (long)text, sizeof text - 1, 0, 0, 0);
  system_call(SYS_close, file, 0, 0, 0, 0, 0);
  // "[always] madvise never", with the choice in brackets.
  if (length < 8) return;
  text[length] = 0;
  if (strstr(text, "[always]")) nest_set_huge_pages(1);
}

void nest_allow_huge_pages(void *address, size_t size, int are_allowed) {
  system_call(SYS_madvise, (long)address, (long)size, are_allowed ? MADV_HUGEPAGE : MADV_NOHUGEPAGE, 0, 0, 0);
}

// Linux 4.14.
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

int nest_wipe_on_fork(void *address, size_t size) {
  if (nest_must_fail(NEST_WIPE)) return 0;
  return !is_error(system_call(SYS_madvise, (long)address, (long)size, MADV_WIPEONFORK, 0, 0, 0));
}

void *nest_remap(void *address, size_t size, size_t new_size, int may_move) {
  if (nest_must_fail(NEST_REMAP)) return NULL;
  long result = remap_memory(address, size, new_size, may_move ? MREMAP_MAYMOVE : 0, NULL);
  if (is_error(result)) return NULL;
  if (is_in_range((unsigned long)result, new_size)) return (void *)result;
  // It was in range before. Back, and if that fails, too, there is no such memory any more, and no way to go on.
  if (is_error(remap_memory((void *)result, new_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, address)))
    nest_die("the system has moved memory to where it cannot be used", (uintptr_t)result);
  return NULL;
}

int nest_move(void *address, size_t size, void *target) {
  if (nest_must_fail(NEST_MOVE)) {
    // As a failure of the system's: the target has been unmapped by then.
    unmap_memory(target, size);
    return 0;
  }
  return remap_memory(address, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, target) == (long)target;
}

void nest_set_exhausted(void) { errno = ENOMEM; }

int nest_make_cell(uintptr_t address) {
  unsigned long index = address >> NEST_LEAF_SHIFT;
  if (index >= NEST_ROOT_LEAVES) return 0;
  if (nest_leaf(index)) return 1;
  uintptr_t *leaf = nest_map(NULL, NEST_LEAF_CELLS * sizeof *leaf), *none = NULL;
  if (!leaf) return 0;
  if (!__atomic_compare_exchange_n(&nest_root[index], &none, leaf, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    unmap_memory(leaf, NEST_LEAF_CELLS * sizeof *leaf);
  return 1;
}

// MARK: Time

// What the kernel maps into the process has a symbol table like a library's. The C library's function of the same use can be
// replaced, by one that shifts time and allocates.
static void *find_in_kernel_image(const char *symbol, const char *other) {
  const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
  if (!image) return NULL;
  const ElfW(Ehdr) *header = (const void *)image;
  const ElfW(Phdr) *segment = (const void *)(image + header->e_phoff);
  const ElfW(Dyn) *dynamic = NULL;
  uintptr_t slide = 0;
  int is_loaded = 0;
  for (int index = 0; index < header->e_phnum; index++, segment++) {
    if (segment->p_type == PT_DYNAMIC) dynamic = (const void *)(image + segment->p_offset);
    if (segment->p_type == PT_LOAD && !is_loaded) {
      slide = (uintptr_t)image + segment->p_offset - segment->p_vaddr;
      is_loaded = 1;
    }
  }
  const ElfW(Sym) *symbols = NULL;
  const char *names = NULL;
  const uint32_t *hash = NULL;
  for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
    const void *value = (const void *)(slide + dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_SYMTAB) symbols = value;
    if (dynamic->d_tag == DT_STRTAB) names = value;
    if (dynamic->d_tag == DT_HASH) hash = value;
  }
  // Without that table nothing says how many symbols there are.
  if (!symbols || !names || !hash) return NULL;
  for (uint32_t index = 0; index < hash[1]; index++) {
    const char *name = names + symbols[index].st_name;
    if (symbols[index].st_shndx != SHN_UNDEF && (strcmp(name, symbol) == 0 || strcmp(name, other) == 0))
      return (void *)(slide + symbols[index].st_value);
  }
  return NULL;
}

static int64_t clock_offset;

void nest_advance_clock(int64_t milliseconds) { __atomic_fetch_add(&clock_offset, milliseconds, __ATOMIC_SEQ_CST); }

void nest_find_clock(void) {
  void *found = find_in_kernel_image("__vdso_clock_gettime", "__kernel_clock_gettime");
  __atomic_store_n(&nest_sealed.clock, (int (*)(clockid_t, struct timespec *))found, __ATOMIC_RELAXED);
  __atomic_store_n(&nest_sealed.is_clock_found, 1, __ATOMIC_RELEASE);
}

int64_t nest_milliseconds(void) {
  if (!__atomic_load_n(&nest_sealed.is_clock_found, __ATOMIC_ACQUIRE)) nest_find_clock();
  int (*clock)(clockid_t, struct timespec *) = __atomic_load_n(&nest_sealed.clock, __ATOMIC_RELAXED);
  struct timespec now = {0, 0};
  if (!clock || clock(CLOCK_MONOTONIC_COARSE, &now) != 0)
    system_call(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, (long)&now, 0, 0, 0, 0);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + __atomic_load_n(&clock_offset, __ATOMIC_RELAXED);
}

// MARK: Processors

unsigned nest_processor_count(void) {
  // Room for as many as Linux can have.
  unsigned long mask[8192 / (8 * sizeof(long))];
  long size = system_call(SYS_sched_getaffinity, 0, sizeof mask, (long)mask, 0, 0, 0);
  unsigned count = 0;
  for (long index = 0; !is_error(size) && index < size / (long)sizeof *mask; index++)
    count += (unsigned)__builtin_popcountl(mask[index]);
  return count > 0 ? count : 1;
}

int nest_is_first_thread(void) {
  return system_call(SYS_gettid, 0, 0, 0, 0, 0, 0) == system_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

// MARK: Waiting

void nest_wait(void *word, uint32_t value) {
  struct timespec most = {0, 20000000};
  system_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, (long)&most, 0, 0);
}

void nest_wake(void *word) { system_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }

// MARK: Misuse

// The thread that ends the process: the first one, if several find something.
static uintptr_t dying_thread;

void nest_claim_end(void) {
  uintptr_t none = 0;
  // A handler of SIGABRT that misuses the allocator itself is not waited for.
  if (!__atomic_compare_exchange_n(&dying_thread, &none, nest_thread_identity(), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
      none != nest_thread_identity() && !nest_is_new_process())
    for (int i = 0; i < 500; i++) nest_wait(&dying_thread, (uint32_t)none);
}

static _Noreturn void die(const char *line, size_t length) {
  nest_claim_end();
  system_call(SYS_write, STDERR_FILENO, (long)line, (long)length, 0, 0, 0);
  abort();
}

static size_t append(char *line, size_t length, const char *text) {
  for (; *text && length < 200; text++) line[length++] = *text;
  return length;
}

static size_t append_number(char *line, size_t length, long number) {
  char digits[24];
  int count = 0;
  unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number;
  do digits[count++] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (number < 0) digits[count++] = '-';
  while (count > 0) line[length++] = digits[--count];
  return length;
}

static size_t append_address(char *line, size_t length, uintptr_t address) {
  length = append(line, length, ": 0x");
  int shift = 60;
  while (shift > 0 && (address >> shift & 15) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) line[length++] = "0123456789abcdef"[address >> shift & 15];
  line[length++] = '\n';
  return length;
}

void nest_die(const char *cause, uintptr_t address) {
  char line[256];
  size_t length = append(line, append(line, 0, "nest: "), cause);
  die(line, append_address(line, length, address));
}

void nest_die_of_block(const char *cause, uintptr_t address, const char *first, long first_number, const char *second,
                       long second_number) {
  char line[320];
  size_t length = append(line, append(line, 0, "nest: "), cause);
  length = append(line, append(line, append(line, length, ", "), first), " ");
  length = append_number(line, length, first_number);
  if (*second) {
    length = append(line, append(line, append(line, length, ", "), second), " ");
    length = append_number(line, length, second_number);
  }
  die(line, append_address(line, length, address));
}

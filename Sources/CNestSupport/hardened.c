// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#define _GNU_SOURCE

#include "CNestSupport.h"
#include "system_call.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

_Thread_local uint64_t nest_thread_random __attribute__((tls_model("initial-exec")));
_Thread_local void *nest_thread_quarantine __attribute__((tls_model("initial-exec")));
uint8_t nest_background_walk_storage[64] __attribute__((aligned(64)));
uint8_t nest_large_quarantine_storage[32 + 8 * NEST_LARGE_QUARANTINE] __attribute__((aligned(64)));
uint8_t nest_untouchable_pages_storage[16] __attribute__((aligned(16)));

static int is_assumed;

// Of the shim; see helper.c.
extern const char *__swift_malloc_name(void) __attribute__((weak));

int nest_is_hardened_malloc(void) { return __swift_malloc_name && strcmp(__swift_malloc_name(), "nest-hardened") == 0; }

// Without waiting: early in the life of a system, there may be none. getrandom(2).
static void draw(uintptr_t *words, int count) {
  long size = count * (long)sizeof *words;
  if (system_call(SYS_getrandom, (long)words, size, 1, 0, 0, 0) == size) return;
  const uint64_t *random = (const uint64_t *)getauxval(AT_RANDOM);
  for (int i = 0; i < count; i++) words[i] = ((random ? random[i % 2] : 0) + nest_sealed.secret + (uintptr_t)&words) * 0x9e3779b97f4a7c15u;
}

// No system call: the thread may be one that a sandbox forbids more than malloc needs.
uint64_t nest_seed(void) {
  static uint64_t seeds;
  uint64_t number = __atomic_add_fetch(&seeds, 1, __ATOMIC_RELAXED);
  uint64_t seed = nest_sealed.hardened_secrets[0] + number * nest_sealed.hardened_secrets[1] + (uint64_t)nest_milliseconds() + nest_thread_identity();
  seed = (seed ^ seed >> 31) * 0x94d049bb133111ebu;
  return (seed ^ seed >> 29) | 1;
}

void nest_begin_hardening(uint32_t bits) {
  if ((nest_hardening() & NEST_HAS_BEGUN) != 0) return;
  uintptr_t secrets[2];
  draw(secrets, 2);
  // The first thread decides for all.
  static int state;
  int open = 0;
  if (__atomic_compare_exchange_n(&state, &open, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    if (!nest_unseal()) nest_die("the system does not let memory of the allocator's be changed", (uintptr_t)&nest_sealed);
    nest_sealed.hardened_secrets[0] = secrets[0];
    __atomic_store_n(&nest_sealed.hardened_secrets[1], secrets[1] | 1, __ATOMIC_RELEASE);
    if (!is_assumed && !nest_is_hardened_malloc()) bits &= ~(uint32_t)(NEST_CLEARS | NEST_WALKS);
    __atomic_fetch_or(&nest_sealed.hardened_bits, bits | NEST_HAS_BEGUN, __ATOMIC_RELEASE);
    nest_seal_again();
    if (nest_has_started()) nest_seal();
  }
  while ((nest_hardening() & NEST_HAS_BEGUN) == 0) nest_pause();
  // It may be waiting for something to do.
  nest_wake_helper();
}

void nest_assume_only_hardened(void) {
  is_assumed = 1;
  nest_allow_helper();
}

void nest_shuffle(uint16_t *places, long count) {
  for (long i = 0; i < count; i++) {
    long other = (long)nest_random_below((uint64_t)i + 1);
    places[i] = places[other];
    places[other] = (uint16_t)i;
  }
}

static int set_protection(void *address, size_t size, int protection) {
  if (nest_must_fail(NEST_PROTECT)) return 0;
  long result = system_call(SYS_mprotect, (long)address, (long)size, protection, 0, 0, 0);
  return result == 0;
}

int nest_protect(void *address, size_t size) { return set_protection(address, size, PROT_NONE); }
int nest_unprotect(void *address, size_t size) { return set_protection(address, size, PROT_READ | PROT_WRITE); }

uint32_t nest_count_guard_pages(int added) {
  static uint32_t count;
  return __atomic_add_fetch(&count, (uint32_t)added, __ATOMIC_RELAXED);
}

__attribute__((destructor)) static void end(void) {
  if (nest_hardening() != 0) nest_check_at_exit();
}

// Places 0 to 255 are of blocks up to 128 bytes, and so on; see Quarantine.
#define UP_TO_128(size) {size, 0, 56, (size) / 16 - 1}
#define UP_TO_512(size) {size, 256, 58, 7}
#define UP_TO_2K(size) {size, 320, 60, 7}
#define UP_TO_8K(size) {size, 336, 62, 7}
#define ABOVE(size) {size, 0, 0, (size) <= 12288 ? 7 : 0}
#define EIGHT(kind, n) kind(9 * (n)), kind(10 * (n)), kind(11 * (n)), kind(12 * (n)), kind(13 * (n)), kind(14 * (n)), kind(15 * (n)), kind(16 * (n))
NEST_CONSTANT const struct nest_class_facts nest_class_facts[81] __attribute__((aligned(64))) = {
    {0, 0, 0, 0}, UP_TO_128(16), UP_TO_128(32), UP_TO_128(48), UP_TO_128(64), UP_TO_128(80), UP_TO_128(96), UP_TO_128(112), UP_TO_128(128),
    EIGHT(UP_TO_512, 16), EIGHT(UP_TO_512, 32), EIGHT(UP_TO_2K, 64), EIGHT(UP_TO_2K, 128), EIGHT(UP_TO_8K, 256), EIGHT(UP_TO_8K, 512),
    EIGHT(ABOVE, 1024), EIGHT(ABOVE, 2048), EIGHT(ABOVE, 4096),
};

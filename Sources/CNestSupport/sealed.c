// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#define _GNU_SOURCE

#include "CNestSupport.h"
#include "system_call.h"

#include <sys/mman.h>
#include <sys/syscall.h>

struct nest_sealed nest_sealed = {.address_bits = NEST_ADDRESS_BITS, .process_mark = &nest_unwiped_mark};
_Static_assert(sizeof(struct nest_sealed) == NEST_SEALED_BYTES, "nothing else is on its pages");

static int protect(int protection) {
  if (nest_must_fail(NEST_SEAL)) return 0;
  return system_call(SYS_mprotect, (long)&nest_sealed, NEST_SEALED_BYTES, protection, 0, 0, 0) == 0;
}

// The process, from 1, of which a thread changes what is sealed; 0 for none. One of the parent's threads is not in a child.
static uint32_t changing_process;

static void lock(void) {
  uint32_t number = nest_process_number() + 1, holder = 0;
  while (!__atomic_compare_exchange_n(&changing_process, &holder, number, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    if (holder != number) continue;
    nest_pause();
    holder = 0;
  }
}

static void unlock(void) { __atomic_store_n(&changing_process, 0, __ATOMIC_RELEASE); }

static void close_pages(void) {
  __atomic_store_n(&nest_sealed.is_sealed, 1, __ATOMIC_RELAXED);
  if (!protect(PROT_READ)) __atomic_store_n(&nest_sealed.is_sealed, 0, __ATOMIC_RELAXED);
}

void nest_seal(void) {
  if (nest_is_sealed() || NEST_SEALED_BYTES % nest_page_size() != 0) return;
  lock();
  if (!nest_is_sealed()) close_pages();
  unlock();
}

// While they can be written, `is_sealed` stays set: so whoever comes next knows that they are to be sealed again.
int nest_unseal(void) {
  lock();
  if (!nest_is_sealed() || protect(PROT_READ | PROT_WRITE)) return 1;
  unlock();
  return 0;
}

void nest_seal_again(void) {
  if (nest_is_sealed()) close_pages();
  unlock();
}

int nest_is_sealed(void) { return (int)__atomic_load_n(&nest_sealed.is_sealed, __ATOMIC_RELAXED); }

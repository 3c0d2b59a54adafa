// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What does not change once a process has started, on pages of its own: they are made read-only then. Who can write to any address,
// and would want to know or set one of these, gets a fault.

#ifndef C_NEST_SEALED_H
#define C_NEST_SEALED_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NEST_HIDDEN __attribute__((visibility("hidden")))

// The largest pages that the systems of this processor have: with those of a smaller kind, a few of them.
#if defined(__x86_64__)
#define NEST_SEALED_BYTES 4096
#else
#define NEST_SEALED_BYTES 65536
#endif

// Constants that the dynamic linker makes read-only: the linker may put those of Swift's, which C's share a section with, among what can be
// written.
#define NEST_CONSTANT __attribute__((section(".data.rel.ro.nest")))

struct nest_sealed {
  // The secret of this process, by which links of free blocks are signed: 0 until a heap is made, and then with its highest
  // bit set, and the next one not: so it has that bit in the sum with two addresses, too, and no address has it.
  uintptr_t secret;
  // Drawn from the kernel: two numbers by which the bytes behind a block are made, the second odd.
  uintptr_t hardened_secrets[2];
  // See nest_hardening, nest_has_huge_pages and nest_samples.
  uint32_t hardened_bits, huge_pages, sample_interval;
  // Whether these pages are read-only.
  uint32_t is_sealed;
  // See nest_process_mark.
  uint32_t *_Nonnull process_mark;
  // Bytes of a page of this system, or 0 as long as nobody has asked; and 0, or the size that a test has set.
  size_t page_size, set_page_size;
  unsigned address_bits;
  // The system calls that a test lets fail.
  unsigned failing_calls;
  // Whether there may be a helper, and whether one is wanted in any process.
  uint32_t may_have_helper, wants_helper;
  // The kernel's function that tells the time, and whether it has been looked for.
  int (*_Nullable clock)(clockid_t, struct timespec *_Nonnull);
  uint32_t is_clock_found;
  // What handled SIGSEGV before a sampled block's handler did.
  uint32_t has_handler;
  struct sigaction handler;
} __attribute__((aligned(NEST_SEALED_BYTES)));

extern struct nest_sealed nest_sealed NEST_HIDDEN;

// Makes the pages read-only. Where the system refuses, or its pages are larger, they stay as they are.
void nest_seal(void);
// Makes them ones that the caller can write, if they have been sealed, until it calls nest_seal_again; one thread at a time. 0 where the
// system refuses: then they cannot be written, and nest_seal_again is not to be called.
int nest_unseal(void);
void nest_seal_again(void);
// Whether they are read-only now.
int nest_is_sealed(void);

#endif

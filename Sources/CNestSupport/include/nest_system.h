// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The system: memory, the clock, sleeping, and the last words of a process.
//
// Every call goes straight to the kernel. The C library's functions can be replaced by anyone, and what replaces them may
// allocate. None of these touches errno, but for nest_set_exhausted.

#ifndef C_NEST_SYSTEM_H
#define C_NEST_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include "../../CAllocatorSupport/include/annotations.h"
#include "nest_sealed.h"

// MARK: Memory

// Bytes of a page of this system.
ALLOCATOR_LEAF size_t nest_page_size(void);
// Makes them `size`, a multiple of what they are; for tests.
void nest_set_page_size(size_t size);

// Addresses that are used are below 2 to this power. Memory that the system hands out above is given back.
#define NEST_ADDRESS_BITS 48
// Makes it `bits`, at most NEST_ADDRESS_BITS; for tests.
void nest_set_address_bits(unsigned bits);

// Maps zeroed, readable and writable memory, at `hint` if that is free. NULL when there is none. mmap(2).
ALLOCATOR_LEAF void *_Nullable nest_map(void *_Nullable hint, size_t size);
// The same, but at `address` or not at all.
ALLOCATOR_LEAF int nest_map_at(void *_Nonnull address, size_t size);
// 0 when the system refuses, as it does with ENOMEM where a mapping would become two, and there are too many. munmap(2).
ALLOCATOR_LEAF int nest_unmap(void *_Nonnull address, size_t size);
// Gives whole pages back; they read as zeros afterwards. 0 when the system refuses: pages that are locked. madvise(2).
ALLOCATOR_LEAF int nest_purge(void *_Nonnull address, size_t size);
// Resizes a mapping, or a part of one, moving it if need be and if `may_move`. NULL when that is impossible. mremap(2).
ALLOCATOR_LEAF void *_Nullable nest_remap(void *_Nonnull address, size_t size, size_t new_size, int may_move);
// Moves the pages of a mapping, or of a part of one, to `target`, in the place of what is mapped there. 0 when that is
// impossible; nothing may be mapped at `target` any more then. mremap(2).
ALLOCATOR_LEAF int nest_move(void *_Nonnull address, size_t size, void *_Nonnull target);

// Whether this system gives huge pages to whom does not ask for them, as was found when the process started: "always" in
// /sys/kernel/mm/transparent_hugepage/enabled. There, pages that are given back come back by themselves, when the kernel makes
// a huge page of what is left around them.
ALLOCATOR_LEAF static inline int nest_has_huge_pages(void) {
  return __builtin_expect(__atomic_load_n(&nest_sealed.huge_pages, __ATOMIC_RELAXED), 0);
}
void nest_look_for_huge_pages(void);
// Says so, for tests.
void nest_set_huge_pages(int are_given);
// Whether the kernel may make huge pages of this memory, or has to leave it as it is. madvise(2); a refusal changes nothing.
ALLOCATOR_LEAF void nest_allow_huge_pages(void *_Nonnull address, size_t size, int are_allowed);

// Has the kernel clear these pages in each child that fork makes. 0 where it cannot. madvise(2).
int nest_wipe_on_fork(void *_Nonnull address, size_t size);

// Each of the calls above, as a bit. For tests, which have some fail.
enum { NEST_MAP = 1, NEST_UNMAP = 2, NEST_PURGE = 4, NEST_REMAP = 8, NEST_MOVE = 16, NEST_WIPE = 32, NEST_SEAL = 64, NEST_PROTECT = 128 };
// Lets the `nth` of these calls from now fail, and all after it until `count` have.
void nest_fail_calls(unsigned calls, long nth, long count);
// Whether this one is to fail.
int nest_must_fail(unsigned call);
// How many have failed since.
long nest_failed_calls(void);

// Sets errno to ENOMEM.
ALLOCATOR_LEAF void nest_set_exhausted(void);

// MARK: Time

// Milliseconds of a clock that never goes back, of the coarse one that the kernel maps into each process: no system call.
ALLOCATOR_LEAF int64_t nest_milliseconds(void);
// Looks for that clock.
void nest_find_clock(void);
// Adds to what the clock says, for tests.
void nest_advance_clock(int64_t milliseconds);

// MARK: Waiting

// Sleeps while `word` is `value`, until woken, for 20 ms at most: in a child that fork makes meanwhile, in a signal handler,
// nobody wakes. futex(2).
ALLOCATOR_LEAF void nest_wait(void *_Nonnull word, uint32_t value);
// Wakes one thread that sleeps on `word`.
ALLOCATOR_LEAF void nest_wake(void *_Nonnull word);
ALLOCATOR_LEAF static inline void nest_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// MARK: Misuse

// Returns in the thread that may have the last word; the others wait there for the end.
void nest_claim_end(void);
// Writes "nest: CAUSE: ADDRESS" to standard error, and aborts. Once: other threads that find something wait for the end.
ALLOCATOR_LEAF _Noreturn void nest_die(const char *_Nonnull cause, uintptr_t address);
// The same with two numbers and what they are; the second may be an empty text.
ALLOCATOR_LEAF _Noreturn void nest_die_of_block(const char *_Nonnull cause, uintptr_t address, const char *_Nonnull first,
                                                long first_number, const char *_Nonnull second, long second_number);

#endif

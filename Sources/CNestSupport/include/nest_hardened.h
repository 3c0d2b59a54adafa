// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What the hardened flavour needs beside: secrets, random numbers, guarded pages, and loops over the bytes of blocks.

#ifndef C_NEST_HARDENED_H
#define C_NEST_HARDENED_H

#include "nest_storage.h"
#include "nest_system.h"

// What this process does, as bits: 0 as long as no hardened block has been made.
enum {
  // Blocks are put on the free list of their span in random order.
  NEST_SHUFFLES = 1,
  // Every free block begins with zeros, behind its link. Only where a hardened Nest is the one allocator of the artifact.
  NEST_CLEARS = 2,
  // A page between spans is guarded now and then.
  NEST_GUARDS = 4,
  NEST_HAS_BEGUN = 8,
  // The helper looks at blocks; and at the bytes behind live ones, which all have. Only where a hardened Nest is the one allocator, too.
  NEST_WALKS = 16,
  NEST_FILLS = 32,
  // What has been pages of a class of blocks is never those of another one.
  NEST_SEPARATES = 64,
  // Above these bits: bytes at the start of a block that are meant, 65,535 at most.
  NEST_CLEARED_SHIFT = 16,
};
ALLOCATOR_LEAF static inline uint32_t nest_hardening(void) { return __atomic_load_n(&nest_sealed.hardened_bits, __ATOMIC_RELAXED); }
// Draws the secrets, and notes what the process does from now on; NEST_CLEARS and NEST_WALKS only where a hardened Nest is the allocator of the artifact.
ALLOCATOR_LEAF void nest_begin_hardening(uint32_t bits);
// Whether a hardened Nest is.
int nest_is_hardened_malloc(void);
// As if it were. For programs that use no other flavour.
void nest_assume_only_hardened(void);

// A number of the calling thread's generator, of which the upper bits are good: a linear congruential one (Knuth's MMIX), seeded by the
// kernel. Not one for keys.
extern _Thread_local uint64_t nest_thread_random __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;
ALLOCATOR_LEAF uint64_t nest_seed(void);
ALLOCATOR_LEAF static inline uint64_t nest_random(void) {
  uint64_t x = nest_thread_random;
  if (__builtin_expect(x == 0, 0)) x = nest_seed();
  nest_thread_random = x * 6364136223846793005u + 1442695040888963407u;
  return x;
}
// A number below `end`.
ALLOCATOR_LEAF static inline uint64_t nest_random_below(uint64_t end) { return (nest_random() >> 32) * end >> 32; }

// The calling thread's quarantine, or NULL.
extern _Thread_local void *_Nullable nest_thread_quarantine __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;
ALLOCATOR_LEAF static inline void *_Nullable nest_quarantine(void) { return nest_thread_quarantine; }
ALLOCATOR_LEAF static inline void nest_set_quarantine(void *_Nullable quarantine) { nest_thread_quarantine = quarantine; }

// Large blocks that have been released and are not used again yet; see LargeQuarantine.
#define NEST_LARGE_QUARANTINE 32
extern uint8_t nest_large_quarantine_storage[32 + 8 * NEST_LARGE_QUARANTINE] NEST_HIDDEN;
ALLOCATOR_LEAF static inline void *_Nonnull nest_large_quarantine(void) { return nest_large_quarantine_storage; }

// See UntouchablePages.
extern uint8_t nest_untouchable_pages_storage[16] NEST_HIDDEN;
ALLOCATOR_LEAF static inline void *_Nonnull nest_untouchable_pages(void) { return nest_untouchable_pages_storage; }

// The word from which the bytes behind the block at `address` are made.
ALLOCATOR_LEAF static inline uint64_t nest_tail_key(uintptr_t address) {
  uint64_t key = (address ^ nest_sealed.hardened_secrets[0]) * nest_sealed.hardened_secrets[1];
  return key ^ key >> 32;
}

// Words at any address.
ALLOCATOR_LEAF static inline uint64_t nest_load(const void *_Nonnull address) {
  uint64_t word;
  __builtin_memcpy(&word, address, sizeof word);
  return word;
}
ALLOCATOR_LEAF static inline void nest_store(void *_Nonnull address, uint64_t word) {
  __builtin_memcpy(address, &word, sizeof word);
}

// Nothing is written before that is written after it in the code, as another thread or a signal handler sees it that stops this one
// anywhere; not as another processor sees it.
ALLOCATOR_LEAF static inline void nest_keep_order(void) { __asm__ volatile("" ::: "memory"); }
// A word at a multiple of 8 that is written after all that comes before it, and before all that comes after it.
ALLOCATOR_LEAF static inline void nest_store_in_order(void *_Nonnull address, uintptr_t word) {
  nest_keep_order();
  *(volatile uintptr_t *)address = word;
  nest_keep_order();
}

// Where the helper's walk over blocks is; see BackgroundWalk.
extern uint8_t nest_background_walk_storage[64] NEST_HIDDEN;
ALLOCATOR_LEAF static inline void *_Nonnull nest_background_walk(void) { return nest_background_walk_storage; }

typedef uint64_t nest_vector __attribute__((vector_size(16), aligned(16), may_alias));

// Of each class: bytes of its blocks, where the places of its blocks begin in a quarantine, and how far a random number is shifted to be
// one of them; of the classes of which none wait, 0. And how many times 16 bytes are cleared behind the first 16, where these
// are NEST_USUALLY_CLEARED bytes in all. What SizeClass, Quarantine and Hardening say; their tests compare.
struct nest_class_facts {
  uint32_t size;
  uint16_t first_place;
  uint8_t shift, cleared;
};
#define NEST_USUALLY_CLEARED 128
extern const struct nest_class_facts nest_class_facts[81] NEST_HIDDEN;
ALLOCATOR_LEAF static inline struct nest_class_facts nest_facts(long index) { return nest_class_facts[index]; }

// Clears `size` bytes, a multiple of 16, at a multiple of 16. Up to 64, and up to 128, the stores are the same and may overlap: a loop
// would end where the processor does not expect it, for each block of another size.
ALLOCATOR_LEAF static inline void nest_clear(void *_Nonnull address, size_t size) {
  const nest_vector none = {0, 0};
  char *start = (char *)address, *end = start + size;
#define NEST_CLEAR(at) *(nest_vector *)(at) = none
  if (size <= 64) {
    if (size == 0) return;
    NEST_CLEAR(start), NEST_CLEAR(end - 16);
    NEST_CLEAR(start + (size / 2 & -16ul)), NEST_CLEAR(start + (size / 4 & -16ul));
  } else if (size <= 128) {
    NEST_CLEAR(start), NEST_CLEAR(start + 16), NEST_CLEAR(start + 32), NEST_CLEAR(start + 48);
    NEST_CLEAR(end - 64), NEST_CLEAR(end - 48), NEST_CLEAR(end - 32), NEST_CLEAR(end - 16);
  } else if (size <= 1024) {
    NEST_CLEAR(end - 64), NEST_CLEAR(end - 48), NEST_CLEAR(end - 32), NEST_CLEAR(end - 16);
    for (; start < end - 64; start += 64) {
      NEST_CLEAR(start), NEST_CLEAR(start + 16), NEST_CLEAR(start + 32), NEST_CLEAR(start + 48);
      // Not a call of memset, for which the fast path would have to save registers.
      __asm__ volatile("" ::: "memory");
    }
  } else {
#if defined(__x86_64__)
    __asm__ volatile("rep stosb" : "+D"(start), "+c"(size) : "a"(0) : "memory");
#else
    __builtin_memset(address, 0, size);
#endif
  }
#undef NEST_CLEAR
}

// The same of NEST_USUALLY_CLEARED - 16 bytes at most.
ALLOCATOR_LEAF static inline void nest_clear_few(void *_Nonnull address, size_t size) {
  if (size > NEST_USUALLY_CLEARED - 16) __builtin_unreachable();
  nest_clear(address, size);
}

// Whether such bytes are all zeros.
ALLOCATOR_LEAF static inline int nest_is_clear(const void *_Nonnull address, size_t size) {
  const char *start = (const char *)address, *end = start + size;
  nest_vector bits;
#define NEST_LOAD(at) (*(const nest_vector *)(at))
  if (size <= 64) {
    if (size == 0) return 1;
    bits = NEST_LOAD(start) | NEST_LOAD(end - 16);
    bits |= NEST_LOAD(start + (size / 2 & -16ul)) | NEST_LOAD(start + (size / 4 & -16ul));
  } else {
    bits = (NEST_LOAD(end - 64) | NEST_LOAD(end - 48)) | (NEST_LOAD(end - 32) | NEST_LOAD(end - 16));
    for (; start < end - 64; start += 64)
      bits |= (NEST_LOAD(start) | NEST_LOAD(start + 16)) | (NEST_LOAD(start + 32) | NEST_LOAD(start + 48));
  }
#undef NEST_LOAD
  return (bits[0] | bits[1]) == 0;
}

// The same of NEST_USUALLY_CLEARED - 16 bytes at most.
ALLOCATOR_LEAF static inline int nest_are_few_clear(const void *_Nonnull address, size_t size) {
  if (size <= 64) return nest_is_clear(address, size);
  const char *start = (const char *)address, *end = start + size;
#define NEST_LOAD(at) (*(const nest_vector *)(at))
  nest_vector bits = (NEST_LOAD(start) | NEST_LOAD(start + 16)) | (NEST_LOAD(start + 32) | NEST_LOAD(start + 48));
  bits |= (NEST_LOAD(end - 16) | NEST_LOAD(end - 32)) | NEST_LOAD(end - 48);
#undef NEST_LOAD
  return (bits[0] | bits[1]) == 0;
}

// Defined by the Swift side: looks at free blocks for the last time.
void nest_check_at_exit(void);

// Counts guard pages that have been added or removed. How many there are.
ALLOCATOR_LEAF uint32_t nest_count_guard_pages(int added);

// The numbers below `count` (512 at most) in random order.
struct nest_order {
  uint16_t places[512];
};
ALLOCATOR_LEAF void nest_shuffle(uint16_t *_Nonnull places, long count);

// Makes whole pages ones that can be neither read nor written, or ones that can. 0 when the system refuses. mprotect(2).
ALLOCATOR_LEAF int nest_protect(void *_Nonnull address, size_t size);
ALLOCATOR_LEAF int nest_unprotect(void *_Nonnull address, size_t size);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What NestAllocator needs and Swift cannot say: storage that exists before any code has run, a thread-local slot, the
// system calls, and callbacks of the thread library. No policy is here.

#ifndef C_NEST_SUPPORT_H
#define C_NEST_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

// The same as in the target CAllocatorSupport: allocator code may call the function.
#define NEST_LEAF __attribute__((swift_attr("@_noLocks")))
#define NEST_HIDDEN __attribute__((visibility("hidden")))

// MARK: Storage

// The calling thread's heap; `nest_empty_heap` before its first allocation and after its end, so that the hit path of
// malloc needs no check for null. 8 bytes of static thread-local storage: a library with more than a few hundred cannot
// be opened by dlopen.
extern _Thread_local void *_Nonnull nest_thread_heap __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;

// Whether this thread has torn its heap down.
extern _Thread_local int nest_thread_ended __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;

// A heap with no free block, a span with none, and the end of every list of blocks. Never written.
extern const uint64_t nest_empty_heap[] NEST_HIDDEN;
extern const uint64_t nest_empty_span[8] NEST_HIDDEN;
extern const uint64_t nest_no_block_words[2] NEST_HIDDEN;

// The number of the size class of 16 × index bytes, as SizeClass computes it (its invariants compare the two).
#define NEST_CLASS_TABLE_END 16384
extern const uint8_t nest_class_table[NEST_CLASS_TABLE_END / 16 + 1] NEST_HIDDEN;

// One byte for each aligned 4 MiB of the address space (47 bits), not 0 where a chunk is. Untouched pages of it take no
// memory.
#define NEST_CHUNK_SHIFT 22
#define NEST_ADDRESS_BITS 47
extern uint8_t nest_chunk_map[1ul << (NEST_ADDRESS_BITS - NEST_CHUNK_SHIFT)] NEST_HIDDEN;

// Zeroed storage of the process-wide structures, a page each at most; what is in them the Swift side says.
extern uint8_t nest_page_heap_storage[512] NEST_HIDDEN;
extern uint8_t nest_mappings_storage[1216] NEST_HIDDEN;
extern uint8_t nest_heap_pool_storage[64] NEST_HIDDEN;
extern uint8_t nest_fork_storage[8] NEST_HIDDEN;
// The three locks, each on a cache line of its own, apart from what they guard.
extern uint8_t nest_lock_storage[3][64] NEST_HIDDEN;

// The secret of this process, by which links of free blocks are signed: 0 until a heap is made, and then with its highest
// bit set, which no address has.
extern uintptr_t nest_secret NEST_HIDDEN;

NEST_LEAF static inline void *_Nonnull nest_heap(void) { return nest_thread_heap; }
NEST_LEAF static inline void nest_set_heap(void *_Nonnull heap) { nest_thread_heap = heap; }
NEST_LEAF static inline void *_Nonnull nest_no_heap(void) { return (void *)nest_empty_heap; }
NEST_LEAF static inline void *_Nonnull nest_no_span(void) { return (void *)nest_empty_span; }
NEST_LEAF static inline void *_Nonnull nest_no_block(void) { return (void *)nest_no_block_words; }
NEST_LEAF static inline int nest_has_ended(void) { return nest_thread_ended; }
NEST_LEAF static inline void nest_set_ended(int ended) { nest_thread_ended = ended; }
NEST_LEAF static inline void *_Nonnull nest_lock(int index) { return nest_lock_storage[index]; }
NEST_LEAF static inline void *_Nonnull nest_fork_state(void) { return nest_fork_storage; }
NEST_LEAF static inline uintptr_t nest_key(void) { return nest_secret; }
NEST_LEAF static inline void *_Nonnull nest_page_heap(void) { return nest_page_heap_storage; }
NEST_LEAF static inline void *_Nonnull nest_mappings(void) { return nest_mappings_storage; }
NEST_LEAF static inline void *_Nonnull nest_heap_pool(void) { return nest_heap_pool_storage; }

NEST_LEAF static inline long nest_class(unsigned long sixteenths) { return nest_class_table[sixteenths]; }

// Whether `address` lies in a chunk. One beyond 47 bits, which no user's memory has, is taken for what its lower bits say.
NEST_LEAF static inline int nest_is_in_chunk(uintptr_t address) {
  uintptr_t index = address >> NEST_CHUNK_SHIFT & (sizeof nest_chunk_map - 1);
  return __atomic_load_n(&nest_chunk_map[index], __ATOMIC_RELAXED) != 0;
}
NEST_LEAF static inline void nest_set_in_chunk(uintptr_t address, uint8_t value) {
  __atomic_store_n(&nest_chunk_map[address >> NEST_CHUNK_SHIFT], value, __ATOMIC_RELEASE);
}

// MARK: The system

// Bytes of a page of this system.
NEST_LEAF size_t nest_page_size(void);
// Makes them `size`, a multiple of what they are; for tests.
void nest_set_page_size(size_t size);

// All of these leave errno alone, but for one.

// Sets errno to ENOMEM.
NEST_LEAF void nest_set_exhausted(void);
// Reserves zeroed, readable and writable memory. NULL when there is none.
NEST_LEAF void *_Nullable nest_map(void *_Nullable hint, size_t size);
// Resizes a mapping (part of one, that is not a part of two), moving it where `may_move`. NULL when that is impossible.
NEST_LEAF void *_Nullable nest_remap(void *_Nonnull address, size_t size, size_t new_size, int may_move);
// Moves the pages of `size` bytes, or fewer, to `target`, which is mapped, in place of the ones there. Pieces below `least` that
// are mappings of their own are unmapped instead. `used` bytes from the start of `source` are gone then, and `moved` bytes from
// the start of `target` are theirs. If `lost` is not 0, nothing may be mapped any more in so many bytes behind these.
struct nest_move { size_t used, moved, lost; };
NEST_LEAF struct nest_move nest_move_pages(uintptr_t source, size_t size, uintptr_t target, size_t least);
NEST_LEAF void nest_unmap(void *_Nonnull address, size_t size);
// Gives whole pages back; they read as zeros afterwards. 0 when that is impossible.
NEST_LEAF int nest_purge(void *_Nonnull address, size_t size);

// Lets the `nth` call from now of nest_map and nest_remap fail, and all after it until `count` have; for tests.
void nest_fail_mappings(long nth, long count);

// Milliseconds of a clock that never goes back; of coarse resolution, and cheap.
NEST_LEAF int64_t nest_milliseconds(void);

NEST_LEAF void nest_wait(void *_Nonnull word, uint32_t value);
NEST_LEAF void nest_wake(void *_Nonnull word);
NEST_LEAF static inline void nest_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}
// A value that no other thread of this process has, and that fork's child inherits.
NEST_LEAF static inline uintptr_t nest_thread_identity(void) { return (uintptr_t)&nest_thread_heap; }

// Initializes the secret. Idempotent.
NEST_LEAF void nest_initialize(void);
// Has `nest_thread_exit` called when this thread ends. Allocates nothing, or only through an allocator that is ready.
NEST_LEAF void nest_watch_thread(void *_Nonnull heap);

// Writes "nest: <cause>: 0x<address>\n" to standard error, without allocating, and aborts.
NEST_LEAF _Noreturn void nest_die(const char *_Nonnull cause, uintptr_t address);

NEST_LEAF static inline void nest_zero(void *_Nonnull address, size_t size) {
  __builtin_memset(address, 0, size);
}

// Copies `size` bytes between blocks that do not overlap. Swift's own copy is a call into its library in a debug build,
// which a preloaded library does not have.
NEST_LEAF static inline void nest_copy(void *_Nonnull target, const void *_Nonnull source, size_t size) {
  __builtin_memcpy(target, source, size);
}

// MARK: Statistics

// Room for what a walk over all chunks adds up; what is in it the Swift side says.
struct nest_totals { uint64_t words[8 + 81 * 4]; };
// Has `nest_add_chunk` called for every chunk. `expected` is how many there are at least.
NEST_LEAF void nest_visit_chunks(struct nest_totals *_Nonnull totals, long expected);

// MARK: Defined by the Swift side

void nest_add_chunk(void *_Nonnull totals, uintptr_t address);

void nest_thread_exit(void);
void nest_before_fork(void);
void nest_after_fork_in_parent(void);
void nest_after_fork_in_child(void);

#endif

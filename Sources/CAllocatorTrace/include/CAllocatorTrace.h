// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_ALLOCATOR_TRACE_H
#define C_ALLOCATOR_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The ring buffer of the tracing adapter: in C, because it lies in memory that two processes share, and because a global atomic of
// Swift's is initialized when it is first used, which takes a lock.
//
//     header │ head ──▶ next to be written (all threads of the traced process)
//            │ tail ──▶ next to be read    (one reader, in this process or in another)
//     records: each has the sequence that says whose turn it is
//
// A writer claims the record at `head` if its sequence is that position, fills it, and sets the sequence to the position + 1. The reader
// takes a record whose sequence is its position + 1, and sets it to position + capacity: the next round's turn. (A bounded queue as
// described by D. Vyukov, 1024cores.net.) There is no lock: a signal handler, or a fork, between the two steps delays the reader and
// nobody else. Positions are the one order of all calls.

#include "../../CAllocatorSupport/include/annotations.h"

enum allocator_trace_call : uint8_t {
  // After the call: the address is the result, 0 where it failed.
  ALLOCATOR_TRACE_ALLOCATE = 1,
  ALLOCATOR_TRACE_ALLOCATE_ZEROED = 2,
  // Before the call, so that whoever gets the address next comes later.
  ALLOCATOR_TRACE_DEALLOCATE = 3,
  // The same, by the functions that say the size.
  ALLOCATOR_TRACE_DEALLOCATE_SIZED = 4,
  // Before the call, with the old address, and after it, with the new one or 0, and the new size.
  ALLOCATOR_TRACE_REALLOCATE = 5,
  ALLOCATOR_TRACE_REALLOCATED = 6,
  // After the call, where it resized the block; the size is the new one.
  ALLOCATOR_TRACE_REALLOCATED_IN_PLACE = 7,
  // No call: the process has become another program (execve(2)), and all blocks are gone.
  ALLOCATOR_TRACE_EXECUTED = 8,
};

struct allocator_trace_record {
  _Atomic(uint64_t) sequence;
  uint64_t address;
  // Bytes.
  uint64_t size;
  // CLOCK_MONOTONIC; 0 where times are not recorded.
  uint64_t nanoseconds;
  // gettid(2).
  uint32_t thread;
  enum allocator_trace_call call;
  // The binary logarithm of the alignment.
  uint8_t alignment;
  uint16_t unused;
};

#define ALLOCATOR_TRACE_MAGIC 0x474e495243415254ull // "TRACRING" in memory
#define ALLOCATOR_TRACE_RING_VERSION 1u

struct allocator_trace_ring {
  uint64_t magic;
  uint32_t version;
  uint32_t record_size;
  // Records, a power of two.
  uint64_t capacity;
  // How long a writer waits for room at most. Then calls are lost, and counted, until there is room again.
  uint64_t wait_nanoseconds;
  uint32_t has_times;
  // The process that is traced: the first that comes. 0 before.
  _Atomic(int32_t) process;
  // Which program the process is: what the kernel has drawn for it (getauxval(3), AT_RANDOM).
  _Atomic(uint64_t) program;
  // Programs that the process has been; see ALLOCATOR_TRACE_EXECUTED.
  _Atomic(uint32_t) programs;
  // A writer has waited in vain; the others do not wait as well.
  _Atomic(uint32_t) gave_up;
  // Calls that found no room.
  _Atomic(uint64_t) lost;
  __attribute__((aligned(64))) _Atomic(uint64_t) head;
  __attribute__((aligned(64))) _Atomic(uint64_t) tail;
  __attribute__((aligned(64))) struct allocator_trace_record records[];
};

// The writing side.

enum : int { ALLOCATOR_TRACE_UNKNOWN, ALLOCATOR_TRACE_BEGINNING, ALLOCATOR_TRACE_OFF, ALLOCATOR_TRACE_ON };

// On a page of its own that the kernel clears in a fork's child.
struct allocator_trace_state {
  _Atomic(int) status;
  // The process, where the kernel does not clear the page; else 0.
  int32_t process;
  struct allocator_trace_ring *_Nullable ring;
};

// Hidden: each artifact's allocator has its own state.
extern __attribute__((visibility("hidden"))) _Atomic(struct allocator_trace_state *_Nullable) allocator_trace_state;

// Writes a record, whether tracing is on or not known yet. errno is left alone.
ALLOCATOR_LEAF __attribute__((visibility("hidden"))) void allocator_trace_write(
    enum allocator_trace_call call, const void *_Nullable address, size_t size, size_t alignment);

// What the adapter calls: two loads and two comparisons where tracing is off.
ALLOCATOR_LEAF static inline __attribute__((always_inline)) void allocator_trace(
    enum allocator_trace_call call, const void *_Nullable address, size_t size, size_t alignment) {
  struct allocator_trace_state *state = atomic_load_explicit(&allocator_trace_state, memory_order_acquire);
  if (state && atomic_load_explicit(&state->status, memory_order_acquire) == ALLOCATOR_TRACE_OFF) return;
  allocator_trace_write(call, address, size, alignment);
}

// Begins, or goes on, to write to a ring of this process itself. False where there is no memory for it, or where the process writes
// to another one's ring.
bool allocator_trace_start(size_t capacity);
void allocator_trace_stop(void);
bool allocator_trace_is_on(void);
// The ring of this process; NULL where there is none.
struct allocator_trace_ring *_Nullable allocator_trace_own_ring(void);

// The reading side.

// A new ring in memory that has a descriptor (memfd_create(2)), which an exec closes; the environment variable of
// ALLOCATOR_TRACE_VARIABLE names it, as a path. NULL and errno on failure.
struct allocator_trace_ring *_Nullable allocator_trace_ring_create(size_t capacity, uint64_t wait_nanoseconds,
                                                                  bool has_times, int *_Nonnull descriptor);

// A file in memory without a name (memfd_create(2)), which an exec closes; -1 and errno on failure.
int allocator_trace_memory_file(void);

#define ALLOCATOR_TRACE_VARIABLE "ALLOCATOR_TRACE"

// Where this names a program (the last part of its file's path), no other one is traced.
#define ALLOCATOR_TRACE_PROGRAM_VARIABLE "ALLOCATOR_TRACE_PROGRAM"

// Takes up to `most` records, the oldest first, and returns how many. `is_over` says that nobody writes any more: then what was claimed and
// never written is passed over, and counted as lost.
size_t allocator_trace_ring_read(struct allocator_trace_ring *_Nonnull ring, struct allocator_trace_record *_Nonnull records,
                                 size_t most, bool is_over);

uint64_t allocator_trace_ring_lost(const struct allocator_trace_ring *_Nonnull ring);
uint32_t allocator_trace_ring_programs(const struct allocator_trace_ring *_Nonnull ring);
int32_t allocator_trace_ring_process(const struct allocator_trace_ring *_Nonnull ring);

#endif

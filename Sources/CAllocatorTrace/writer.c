// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The writing side: runs inside of malloc, in any thread, also in a signal handler and in a fork's child. It allocates nothing, and
// makes system calls only to begin, and while it waits for room.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CAllocatorTrace.h"
#include "ring.h"

_Atomic(struct allocator_trace_state *) allocator_trace_state;

static _Thread_local uint32_t this_thread __attribute__((tls_model("initial-exec")));

static int32_t this_process(void) { return (int32_t)syscall(SYS_getpid); }

// By the number of the call: no library can put itself between, which might allocate.
static void *map(size_t size, int flags, int descriptor) {
  long address = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, flags, descriptor, 0L);
  return address == -1 ? NULL : (void *)address;
}

// The state of this process, made when it is first asked for; NULL where there is no memory for it.
static struct allocator_trace_state *state_of_this_process(void) {
  struct allocator_trace_state *state = atomic_load_explicit(&allocator_trace_state, memory_order_acquire);
  if (state) {
    // Where the kernel cannot clear the page, the child has the parent's.
    if (state->process == 0 || state->process == this_process()) return state;
    memset(state, 0, sizeof *state);
    state->process = this_process();
    return state;
  }
  struct allocator_trace_state *fresh = map(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!fresh) return NULL;
  if (syscall(SYS_madvise, fresh, 4096L, MADV_WIPEONFORK) != 0) fresh->process = this_process();
  if (atomic_compare_exchange_strong(&allocator_trace_state, &state, fresh)) return fresh;
  syscall(SYS_munmap, fresh, 4096L);
  return state;
}

// The value of the variable in /proc/self/environ: the first call comes before libc knows the environment. The name has a "=" behind
// it. False where it is not there, empty, or too long.
static bool read_variable(const char *name, char *value, size_t capacity) {
  size_t name_length = strlen(name);
  int file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char buffer[1024];
  size_t matched = 0, length = 0;
  bool is_candidate = true, is_found = false;
  for (long count; !is_found && (count = syscall(SYS_read, file, buffer, sizeof buffer)) > 0;) {
    for (long index = 0; index < count && !is_found; index++) {
      char byte = buffer[index];
      if (is_candidate && matched == name_length) {
        if (byte == 0 || length == capacity - 1) is_found = byte == 0 && length > 0, is_candidate = false;
        else value[length++] = byte;
      } else if (is_candidate && byte == name[matched] && byte != 0) {
        matched++;
      } else {
        is_candidate = byte == 0;
        matched = 0;
      }
    }
  }
  syscall(SYS_close, file);
  value[length] = 0;
  return is_found;
}

// Whether this process runs the program that is meant, where one is named.
static bool is_meant(void) {
  char name[256], path[4096];
  if (!read_variable(ALLOCATOR_TRACE_PROGRAM_VARIABLE "=", name, sizeof name)) return true;
  long length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = 0;
  const char *slash = strrchr(path, '/');
  return strcmp(slash ? slash + 1 : path, name) == 0;
}

static struct allocator_trace_ring *map_ring(const char *path) {
  int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (file < 0) return NULL;
  struct allocator_trace_ring *ring = map(sizeof *ring, MAP_SHARED, file);
  if (ring) {
    bool is_right = ring->magic == ALLOCATOR_TRACE_MAGIC && ring->version == ALLOCATOR_TRACE_RING_VERSION &&
                    ring->record_size == sizeof(struct allocator_trace_record) && ring->capacity > 0 &&
                    (ring->capacity & (ring->capacity - 1)) == 0;
    size_t size = is_right ? trace_ring_size(ring->capacity) : 0;
    syscall(SYS_munmap, ring, sizeof *ring);
    ring = is_right ? map(size, MAP_SHARED, file) : NULL;
  }
  syscall(SYS_close, file);
  return ring;
}

static bool put(struct allocator_trace_ring *ring, enum allocator_trace_call call, uint64_t address, size_t size,
                size_t alignment);

// What the program before left claimed and not written: its threads are gone.
static void write_unwritten(struct allocator_trace_ring *ring) {
  uint64_t head = atomic_load(&ring->head);
  for (uint64_t position = atomic_load(&ring->tail); position < head; position++) {
    struct allocator_trace_record *record = &ring->records[position & (ring->capacity - 1)];
    if (atomic_load(&record->sequence) != position) continue;
    record->call = ALLOCATOR_TRACE_EXECUTED;
    atomic_store(&record->sequence, position + 1);
  }
}

// Finds out whether this process is to be traced, and by which ring. Threads that come meanwhile are not recorded; there are none
// before the first call.
static void begin(struct allocator_trace_state *state) {
  int expected = ALLOCATOR_TRACE_UNKNOWN;
  if (!atomic_compare_exchange_strong(&state->status, &expected, ALLOCATOR_TRACE_BEGINNING)) return;
  struct allocator_trace_ring *ring = NULL;
  char path[256];
  if (!getauxval(AT_SECURE) && read_variable(ALLOCATOR_TRACE_VARIABLE "=", path, sizeof path) && is_meant()) ring = map_ring(path);
  if (ring) {
    int32_t nobody = 0, process = this_process();
    bool is_first = atomic_compare_exchange_strong(&ring->process, &nobody, process);
    // Sixteen random bytes that each program gets from the kernel.
    uint64_t program = *(const uint64_t *)getauxval(AT_RANDOM);
    uint64_t before = is_first || nobody == process ? atomic_exchange(&ring->program, program) : 0;
    if (is_first) {
      atomic_store(&ring->programs, 1);
    } else if (nobody == process && before == program) {
      // Another library, or the program itself, has a tracing allocator, too.
    } else if (nobody == process) {
      write_unwritten(ring);
      atomic_fetch_add(&ring->programs, 1);
      put(ring, ALLOCATOR_TRACE_EXECUTED, 0, 0, 1);
    } else {
      // A child of the process that is traced, or a stranger.
      syscall(SYS_munmap, ring, trace_ring_size(ring->capacity));
      ring = NULL;
    }
  }
  state->ring = ring;
  atomic_store_explicit(&state->status, ring ? ALLOCATOR_TRACE_ON : ALLOCATOR_TRACE_OFF, memory_order_release);
}

// A process is taken before it can have children: what allocates first might be one of these.
__attribute__((constructor)) static void begin_before_children(void) {
  if (!getenv(ALLOCATOR_TRACE_VARIABLE)) return;
  struct allocator_trace_state *state = state_of_this_process();
  if (state) begin(state);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Waits until the record is free for `position`; false if it takes too long. The reader is another process, which may be stopped, or dead.
static bool wait_for_room(struct allocator_trace_ring *ring, struct allocator_trace_record *record, uint64_t position) {
  if (ring->wait_nanoseconds == 0 || atomic_load_explicit(&ring->gave_up, memory_order_relaxed)) return false;
  uint64_t end = now() + ring->wait_nanoseconds;
  do {
    struct timespec pause = {.tv_nsec = 20000};
    syscall(SYS_nanosleep, &pause, NULL);
    if ((int64_t)(atomic_load_explicit(&record->sequence, memory_order_acquire) - position) >= 0) return true;
  } while (now() < end);
  atomic_store_explicit(&ring->gave_up, 1, memory_order_relaxed);
  return false;
}

static bool put(struct allocator_trace_ring *ring, enum allocator_trace_call call, uint64_t address, size_t size,
                size_t alignment) {
  uint64_t position = atomic_load_explicit(&ring->head, memory_order_relaxed);
  struct allocator_trace_record *record;
  for (;;) {
    record = &ring->records[position & (ring->capacity - 1)];
    int64_t turn = (int64_t)(atomic_load_explicit(&record->sequence, memory_order_acquire) - position);
    if (turn == 0) {
      if (atomic_compare_exchange_weak_explicit(&ring->head, &position, position + 1, memory_order_relaxed,
                                                memory_order_relaxed))
        break;
    } else if (turn < 0 && !wait_for_room(ring, record, position)) {
      atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
      return false;
    } else {
      position = atomic_load_explicit(&ring->head, memory_order_relaxed);
    }
  }
  if (atomic_load_explicit(&ring->gave_up, memory_order_relaxed))
    atomic_store_explicit(&ring->gave_up, 0, memory_order_relaxed);
  if (this_thread == 0) this_thread = (uint32_t)syscall(SYS_gettid);
  record->address = address;
  record->size = size;
  record->nanoseconds = ring->has_times ? now() : 0;
  record->thread = this_thread;
  record->call = call;
  record->alignment = alignment > 0 ? (uint8_t)__builtin_ctzl(alignment) : 0;
  atomic_store_explicit(&record->sequence, position + 1, memory_order_release);
  return true;
}

void allocator_trace_write(enum allocator_trace_call call, const void *address, size_t size, size_t alignment) {
  int error = errno;
  struct allocator_trace_state *state = state_of_this_process();
  if (state) {
    if (atomic_load_explicit(&state->status, memory_order_acquire) == ALLOCATOR_TRACE_UNKNOWN) begin(state);
    if (atomic_load_explicit(&state->status, memory_order_acquire) == ALLOCATOR_TRACE_ON)
      put(state->ring, call, (uint64_t)address, size, alignment);
  }
  errno = error;
}

bool allocator_trace_start(size_t capacity) {
  struct allocator_trace_state *state = state_of_this_process();
  if (!state) return false;
  if (atomic_load(&state->status) == ALLOCATOR_TRACE_UNKNOWN) begin(state);
  int expected = ALLOCATOR_TRACE_OFF;
  if (!atomic_compare_exchange_strong(&state->status, &expected, ALLOCATOR_TRACE_BEGINNING)) return false;
  if (!state->ring) {
    size_t records = 64;
    while (records < capacity && records < (size_t)1 << 32) records *= 2;
    struct allocator_trace_ring *ring = map(trace_ring_size(records), MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (ring) {
      trace_ring_initialize(ring, records, 0, true);
      atomic_store(&ring->process, this_process());
    }
    state->ring = ring;
  }
  bool is_there = state->ring != NULL;
  atomic_store_explicit(&state->status, is_there ? ALLOCATOR_TRACE_ON : ALLOCATOR_TRACE_OFF, memory_order_release);
  return is_there;
}

void allocator_trace_stop(void) {
  struct allocator_trace_state *state = state_of_this_process();
  int expected = ALLOCATOR_TRACE_ON;
  if (state) atomic_compare_exchange_strong(&state->status, &expected, ALLOCATOR_TRACE_OFF);
}

bool allocator_trace_is_on(void) {
  struct allocator_trace_state *state = state_of_this_process();
  return state && atomic_load(&state->status) == ALLOCATOR_TRACE_ON;
}

struct allocator_trace_ring *allocator_trace_own_ring(void) {
  struct allocator_trace_state *state = state_of_this_process();
  return state ? state->ring : NULL;
}

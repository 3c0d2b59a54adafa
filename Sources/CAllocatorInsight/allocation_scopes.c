// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Who counts for a scope is found at each call: the thread's own scope, for what is synchronous, or the one that is bound to the
// current task, which child tasks inherit. A scope has a table by call site for each thread that counts for it, so that no call
// needs an instruction that locks; `insight_scope_close` says how the table is taken from the thread again.
//
// To walk a stack at each call would take too long, so that a site is known by the place of its frame on the stack and by the
// innermost return addresses, and its whole stack is walked at the first call alone. Two stacks that differ only further out, at
// the same depth, are then counted as one; above the limit, where somebody is going to read them, more addresses are looked at.

#include "heap_profile_internal.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  SCOPES = 256,
  PLACES = 1 << 13,
  // The last one stands for all for which there was no room.
  STACKS = 1 << 12,
  QUICK_FRAMES = 4,
  CLOSE_FRAMES = 32,
  KEPT_BLOCKS = 1 << 20,
  KEPT_PLACES = 1 << 18,
  // No handle, because these begin at the number of scopes.
  CLOSING = 1,
};

struct place {
  // 0 where it is empty.
  uint64_t key, count, bytes;
  uint32_t stack;
};

struct stack {
  uint32_t depth, physical;
  // Where it is in the table of places.
  uint32_t place;
  uintptr_t frames[INSIGHT_STACK_DEPTH];
};

// What one thread has counted for one scope.
struct scope_table {
  // Set by the thread while it counts.
  uint32_t is_busy;
  // The thread (pthread_self), which alone writes here.
  uintptr_t thread;
  // Of the same scope, or of the free ones.
  struct scope_table *next;
  // Its place among those of its scope.
  uint32_t index;
  uint32_t stack_count;
  // The place of what there was no room for, plus 1; 0 while there is none.
  uint32_t other_place;
  uint64_t count, bytes, lost_blocks;
  struct place places[PLACES];
  struct stack stacks[STACKS];
};

struct scope {
  // The place in `scopes` in the lowest byte, and above it a number that is never used again; 0 for none.
  uint64_t handle, parent;
  bool counts, keeps_blocks;
  uint64_t limit, byte_limit;
  // Guards the list of tables, which only grows while the scope is open.
  uint32_t lock;
  uint32_t table_count;
  struct scope_table *tables;
};

// A block that is followed. A block that is allocated within two scopes that do is here twice.
struct kept_block {
  // 0 for a free place.
  uintptr_t address;
  uint64_t size, scope;
  uint32_t stack;
  // From 1 on; 0 for none.
  uint32_t next;
};

static struct scope scopes[SCOPES];
// Guards which of them are in use, and the tables that no scope has.
static uint32_t scopes_lock;
static struct scope_table *free_tables;
static uint64_t last_number;
static const void *key;

// Guarded by the profile's lock, as the filter is.
static struct kept_table {
  uint32_t places[KEPT_PLACES];
  struct kept_block blocks[KEPT_BLOCKS];
} *kept;
static uint32_t free_kept, used_kept, kept_count;

// Of Swift's concurrency, which is in every program that has scopes.
extern __attribute__((swiftcall)) const void *swift_task_localValueGet(const void *) __attribute__((weak));

static void take(uint32_t *lock) {
  unsigned rounds = 0;
  while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
    if (++rounds > 64) sched_yield();
}

static void give(uint32_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

static void *reserve(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static inline uint64_t current_scope(void) {
  uint64_t handle = profile_thread.scope;
  const void *task_key = __atomic_load_n(&key, __ATOMIC_RELAXED);
  if (handle || !task_key) return handle;
  const uint64_t *value = swift_task_localValueGet(task_key);
  return value ? *value : 0;
}

// MARK: Counting

static inline __attribute__((always_inline)) uint64_t hash_frames(const uintptr_t *frame, unsigned count) {
  struct profile_thread *thread = &profile_thread;
  uint64_t hash = (uintptr_t)frame;
  uintptr_t high = (uintptr_t)frame >= thread->stack_low ? thread->stack_high : 0;
  for (unsigned i = 0; i < count; i++) {
    hash = (hash << 23 | hash >> 41) ^ frame[1];
    const uintptr_t *next = (const uintptr_t *)frame[0];
    if (next <= frame || (uintptr_t)next + 16 > high || (uintptr_t)next % 8 != 0) break;
    frame = next;
  }
  hash *= 0x9e3779b97f4a7c15u;
  return hash ? hash : 1;
}

// Takes an empty place, or the one that has all for which there is no room.
static __attribute__((noinline)) struct place *take_place(
  struct scope_table *table, struct place *place, uint64_t hash, const uintptr_t *frame) {
  if (table->stack_count == STACKS - 1) {
    if (table->other_place) return &table->places[table->other_place - 1];
    place->key = hash;
    place->stack = STACKS - 1;
    table->other_place = (uint32_t)(place - table->places) + 1;
    return place;
  }
  int code = errno;
  place->key = hash;
  place->stack = table->stack_count++;
  struct stack *stack = &table->stacks[place->stack];
  stack->place = (uint32_t)(place - table->places);
  stack->depth = profile_walk(frame, stack->frames, &stack->physical);
  errno = code;
  return place;
}

static __attribute__((noinline)) void keep_block(
  uint64_t scope, struct scope_table *table, uintptr_t address, size_t size, uint32_t stack);

// The thread's table in the scope; null where there is none, and no memory for one, or the scope has ended.
static __attribute__((noinline)) struct scope_table *find_table(struct scope *scope, uint64_t handle) {
  uintptr_t self = (uintptr_t)pthread_self();
  int code = errno;
  take(&scope->lock);
  struct scope_table *table = NULL;
  if (scope->handle == handle) {
    table = scope->tables;
    while (table && table->thread != self) table = table->next;
    if (!table) {
      take(&scopes_lock);
      table = free_tables;
      if (table) free_tables = table->next;
      give(&scopes_lock);
      if (!table) table = reserve(sizeof *table);
      if (table) {
        table->thread = self;
        table->index = scope->table_count++;
        table->next = scope->tables;
        scope->tables = table;
      }
    }
  }
  give(&scope->lock);
  errno = code;
  profile_thread.table_scope = table ? handle : 0;
  profile_thread.table = table;
  return table;
}

static inline __attribute__((always_inline)) void count_in_table(
  const struct scope *scope, uint64_t handle, struct scope_table *table, void *block, size_t size,
  const uintptr_t *frame) {
  table->count++;
  table->bytes += size;
  bool is_above = table->count > scope->limit || table->bytes > scope->byte_limit;
  uint64_t hash = hash_frames(frame, __builtin_expect(is_above, 0) ? CLOSE_FRAMES : QUICK_FRAMES);
  uint32_t index = (uint32_t)(hash >> 40) & (PLACES - 1);
  struct place *place = &table->places[index];
  while (place->key != hash && place->key != 0) {
    index = (index + 1) & (PLACES - 1);
    place = &table->places[index];
  }
  if (__builtin_expect(place->key == 0, 0)) place = take_place(table, place, hash, frame);
  place->count++;
  place->bytes += size;
  if (__builtin_expect(scope->keeps_blocks, 0)) keep_block(handle, table, (uintptr_t)block, size, place->stack);
}

static inline __attribute__((always_inline)) void count_in_scope(
  uint64_t handle, void *block, size_t size, const uintptr_t *frame) {
  struct scope *scope = &scopes[handle % SCOPES];
  struct scope_table *table = profile_thread.table;
  if (__builtin_expect(profile_thread.table_scope != handle, 0)) table = find_table(scope, handle);
  if (!table) return;
  __atomic_store_n(&table->is_busy, 1, __ATOMIC_RELAXED);
  // Whoever closes the scope has all threads of the process get here between the two (`wait_for_threads`).
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(&scope->handle, __ATOMIC_RELAXED) == handle && __atomic_load_n(&scope->counts, __ATOMIC_RELAXED))
    count_in_table(scope, handle, table, block, size, frame);
  __atomic_store_n(&table->is_busy, 0, __ATOMIC_RELEASE);
}

__attribute__((noinline)) void profile_attend(void *block, size_t size, const uintptr_t *frame) {
  struct profile_thread *thread = &profile_thread;
  if ((__atomic_load_n(&profile_attention, __ATOMIC_ACQUIRE) & PROFILE_SCOPES) && !thread->is_busy) {
    thread->is_busy = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    for (uint64_t handle = current_scope(); __builtin_expect(handle != 0, 0);) {
      count_in_scope(handle, block, size, frame);
      // A task may go on after the scope that it was started in has ended.
      const struct scope *scope = &scopes[handle % SCOPES];
      uint64_t parent = __atomic_load_n(&scope->parent, __ATOMIC_RELAXED);
      if (__atomic_load_n(&scope->handle, __ATOMIC_RELAXED) != handle) break;
      handle = parent;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->is_busy = 0;
  }
  if ((thread->left < 0) | (thread->generation != __atomic_load_n(&profile_generation, __ATOMIC_RELAXED)))
    profile_count(block, size, frame);
}

// MARK: Blocks, under the profile's lock

static uint32_t *kept_place(uintptr_t address) {
  return &kept->places[profile_hash(address) >> 24 & (KEPT_PLACES - 1)];
}

static bool add_kept(const struct kept_block *block) {
  uint32_t index = free_kept;
  if (index)
    free_kept = kept->blocks[index].next;
  else if (used_kept + 1 < KEPT_BLOCKS)
    index = ++used_kept;
  else
    return false;
  uint32_t *link = kept_place(block->address);
  kept->blocks[index] = *block;
  kept->blocks[index].next = *link;
  *link = index;
  kept_count++;
  profile_change_filter(block->address, true);
  return true;
}

static void remove_kept(uint32_t *link) {
  uint32_t index = *link;
  struct kept_block *block = &kept->blocks[index];
  profile_change_filter(block->address, false);
  *link = block->next;
  block->address = 0;
  block->next = free_kept;
  free_kept = index;
  kept_count--;
}

static __attribute__((noinline)) void keep_block(
  uint64_t scope, struct scope_table *table, uintptr_t address, size_t size, uint32_t stack) {
  struct kept_block block = {
    .address = address, .size = size, .scope = scope, .stack = table->index * STACKS + stack};
  profile_take_lock();
  // One that was released where that was not seen.
  for (uint32_t *link = kept_place(address); *link;) {
    if (kept->blocks[*link].address == address && kept->blocks[*link].scope == scope)
      remove_kept(link);
    else
      link = &kept->blocks[*link].next;
  }
  if (!add_kept(&block)) table->lost_blocks++;
  profile_give_lock();
}

void profile_release_kept(uintptr_t address, struct profile_released *released) {
  if (kept_count == 0) return;
  for (uint32_t *link = kept_place(address); *link;) {
    struct kept_block *block = &kept->blocks[*link];
    if (block->address != address) {
      link = &block->next;
      continue;
    }
    if (released->kept_count < PROFILE_MOST_KEPT)
      released->kept[released->kept_count++] =
        (struct profile_kept){.size = block->size, .scope = block->scope, .stack = block->stack};
    remove_kept(link);
  }
}

void profile_take_back_kept(uintptr_t address, const struct profile_released *released) {
  for (uint32_t i = 0; i < released->kept_count; i++) {
    struct profile_kept before = released->kept[i];
    struct kept_block block = {.address = address, .size = before.size, .scope = before.scope, .stack = before.stack};
    add_kept(&block);
  }
}

void profile_filter_kept(void) {
  for (uint32_t i = 1; kept && i <= used_kept; i++)
    if (kept->blocks[i].address) profile_change_filter(kept->blocks[i].address, true);
}

// MARK: Scopes

static struct scope *find(uint64_t handle) { return &scopes[handle % SCOPES]; }

uint64_t insight_scope_open(
  const void *task_key, uint64_t limit, uint64_t byte_limit, int keeps_blocks, enum insight_profile_result *result) {
  *result = INSIGHT_PROFILE_NO_MEMORY;
  if (swift_task_localValueGet) __atomic_store_n(&key, task_key, __ATOMIC_RELAXED);
  uint64_t parent = current_scope();
  profile_thread.is_busy++;
  bool has_table = true;
  if (keeps_blocks) {
    struct kept_table *table = __atomic_load_n(&kept, __ATOMIC_ACQUIRE) ? NULL : reserve(sizeof *table);
    profile_take_lock();
    if (!kept) kept = table, table = NULL;
    has_table = kept != NULL;
    profile_give_lock();
    if (table) munmap(table, sizeof *table);
  }
  uint64_t handle = 0;
  take(&scopes_lock);
  unsigned index = 0;
  while (index < SCOPES && scopes[index].handle) index++;
  if (has_table && index < SCOPES) {
    struct scope *scope = &scopes[index];
    scope->counts = false;
    scope->keeps_blocks = keeps_blocks != 0;
    scope->parent = parent;
    scope->limit = limit;
    scope->byte_limit = byte_limit;
    // 0 is no handle.
    handle = ++last_number * SCOPES + index;
    __atomic_store_n(&scope->handle, handle, __ATOMIC_RELEASE);
  }
  give(&scopes_lock);
  profile_thread.is_busy--;
  if (!handle) return 0;
  *result = profile_begin_scopes();
  if (*result == INSIGHT_PROFILE_STARTED) return handle;
  __atomic_store_n(&find(handle)->handle, 0, __ATOMIC_RELEASE);
  return 0;
}

uint64_t insight_scope_enter(uint64_t handle) {
  uint64_t before = profile_thread.scope;
  profile_thread.scope = handle;
  return before;
}

void insight_scope_start(uint64_t handle) { __atomic_store_n(&find(handle)->counts, true, __ATOMIC_RELEASE); }

void insight_scope_stop(uint64_t handle) { __atomic_store_n(&find(handle)->counts, false, __ATOMIC_RELEASE); }

void insight_scope_read_totals(uint64_t handle, struct insight_scope_totals *totals) {
  struct scope *scope = find(handle);
  *totals = (struct insight_scope_totals){0, 0, 0, 0};
  profile_thread.is_busy++;
  take(&scope->lock);
  for (struct scope_table *table = scope->tables; table; table = table->next) {
    totals->count += table->count;
    totals->bytes += table->bytes;
    totals->lost_blocks += table->lost_blocks;
    totals->places += PLACES;
  }
  give(&scope->lock);
  profile_thread.is_busy--;
}

static struct scope_table *table_at(uint64_t handle, uint32_t index) {
  struct scope *scope = find(handle);
  profile_thread.is_busy++;
  take(&scope->lock);
  struct scope_table *table = scope->tables;
  while (table && table->index != index) table = table->next;
  give(&scope->lock);
  profile_thread.is_busy--;
  return table;
}

void insight_scope_read_stack(uint64_t handle, uint32_t index, struct insight_scope_site *site) {
  struct stack *stack = &table_at(handle, index / STACKS)->stacks[index % STACKS];
  site->depth = stack->depth;
  site->physical_depth = stack->physical;
  memcpy(site->frames, stack->frames, sizeof site->frames);
}

void insight_scope_read_site(uint64_t handle, uint32_t index, struct insight_scope_site *site) {
  struct scope_table *table = table_at(handle, index / PLACES);
  struct place *place = &table->places[index % PLACES];
  site->count = place->key ? place->count : 0;
  site->bytes = place->bytes;
  if (site->count) insight_scope_read_stack(handle, table->index * STACKS + place->stack, site);
}

size_t insight_scope_read_blocks(uint64_t handle, struct insight_scope_block *blocks, size_t room) {
  size_t count = 0;
  profile_thread.is_busy++;
  profile_take_lock();
  for (uint32_t i = 1; kept && i <= used_kept; i++) {
    struct kept_block *block = &kept->blocks[i];
    if (block->address == 0 || block->scope != handle) continue;
    if (count < room) blocks[count] = (struct insight_scope_block){block->address, block->size, block->stack};
    count++;
  }
  profile_give_lock();
  profile_thread.is_busy--;
  return count;
}

static void forget_blocks(uint64_t handle) {
  profile_take_lock();
  for (uint32_t i = 1; kept && i <= used_kept; i++) {
    struct kept_block *block = &kept->blocks[i];
    if (block->address == 0 || block->scope != handle) continue;
    uint32_t *link = kept_place(block->address);
    while (*link != i) link = &kept->blocks[*link].next;
    remove_kept(link);
  }
  if (kept_count == 0) free_kept = used_kept = 0;
  profile_give_lock();
}

// Has every thread of the process pass a barrier: what it stored before is seen here, and it sees what was stored here. By
// membarrier(2); where that is forbidden, by taking a right to a page away, for which the kernel interrupts all processors.
static void wait_for_threads(void) {
  static int is_registered;
  if (!__atomic_load_n(&is_registered, __ATOMIC_RELAXED)) {
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    __atomic_store_n(&is_registered, 1, __ATOMIC_RELAXED);
  }
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  volatile char *page = reserve(size);
  if (!page) return;
  *page = 1;
  mprotect((void *)page, size, PROT_NONE);
  munmap((void *)page, size);
}

static void empty_table(struct scope_table *table) {
  struct place none = {0};
  for (uint32_t i = 0; i < table->stack_count; i++) table->places[table->stacks[i].place] = none;
  if (table->other_place) table->places[table->other_place - 1] = none;
  table->stack_count = table->other_place = 0;
  table->count = table->bytes = table->lost_blocks = 0;
  table->thread = 0;
}

void insight_scope_close(uint64_t handle) {
  struct scope *scope = find(handle);
  profile_thread.is_busy++;
  take(&scope->lock);
  struct scope_table *tables = scope->tables;
  scope->tables = NULL;
  scope->table_count = 0;
  __atomic_store_n(&scope->counts, false, __ATOMIC_RELAXED);
  // From here on nobody begins to count; who has begun is waited for.
  __atomic_store_n(&scope->handle, CLOSING, __ATOMIC_SEQ_CST);
  give(&scope->lock);
  wait_for_threads();
  for (struct scope_table *table = tables; table; table = table->next) {
    unsigned rounds = 0;
    while (__atomic_load_n(&table->is_busy, __ATOMIC_ACQUIRE))
      if (++rounds > 64) sched_yield();
    empty_table(table);
  }
  if (scope->keeps_blocks) forget_blocks(handle);
  take(&scopes_lock);
  while (tables) {
    struct scope_table *next = tables->next;
    tables->next = free_tables;
    free_tables = tables;
    tables = next;
  }
  __atomic_store_n(&scope->handle, 0, __ATOMIC_RELEASE);
  give(&scopes_lock);
  profile_thread.is_busy--;
  profile_end_scopes();
}

void profile_forget_scopes_in_child(void) {
  scopes_lock = 0;
  // The tables stay, and are taken by nobody.
  memset(scopes, 0, sizeof scopes);
  free_tables = NULL;
  kept_count = used_kept = free_kept = 0;
  if (kept) memset(kept->places, 0, sizeof kept->places);
  profile_thread.scope = profile_thread.table_scope = 0;
  profile_thread.table = NULL;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What is sampled. Every byte that is allocated is a sample's with the same small probability, 1 / interval, whatever came before:
// the distance to the next one is drawn from the exponential distribution. So a block of `size` bytes is sampled with
// p = 1 - exp(-size / interval), independently of all others, and stands for 1 / p blocks (Horvitz and Thompson, 1952); the variance
// of that sum is estimated by the sum of (1 - p) / p².

#include "heap_profile_internal.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

_Thread_local struct profile_thread profile_thread __attribute__((tls_model("initial-exec")));
uint32_t profile_generation, profile_attention;
uint64_t profile_filter[1 << (PROFILE_FILTER_BITS - 6)];

enum {
  // Stacks, and places to find them by.
  SITES = 1 << 14,
  SITE_PLACES = 1 << 15,
  LIVE_BLOCKS = 1 << 17,
  LIVE_PLACES = 1 << 17,
};
// The last stack stands for all for which there was no room.
enum { OTHER_SITES = SITES - 1 };

static struct tables {
  struct insight_site sites[SITES];
  // Index of a site plus 1; 0 for none.
  uint32_t site_places[SITE_PLACES];
  // From 1 on; 0 is none. A free one holds the next free one.
  struct insight_live_block live[LIVE_BLOCKS];
  uint32_t live_places[LIVE_PLACES];
} *tables;

// All below is guarded by `lock`.

// How many blocks have set a bit of the filter; 255 stays.
static uint8_t filter_counts[1 << PROFILE_FILTER_BITS];
static struct insight_profile_state state;
static uint32_t free_live, used_live;
static uint32_t lock;

void profile_take_lock(void) {
  unsigned rounds = 0;
  // Held for some dozens of nanoseconds; by a thread that is not running, for longer.
  while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
    if (++rounds > 64) sched_yield();
}

void profile_give_lock(void) { __atomic_store_n(&lock, 0, __ATOMIC_RELEASE); }

static int64_t draw(void) {
  struct profile_thread *thread = &profile_thread;
  if (thread->random == 0) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t seed = (uintptr_t)thread ^ (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
    // splitmix64 (Steele, Lea, Flood, 2014).
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    thread->random = (seed ^ (seed >> 31)) | 1;
  }
  // xorshift64* (Vigna, 2016).
  thread->random ^= thread->random >> 12;
  thread->random ^= thread->random << 25;
  thread->random ^= thread->random >> 27;
  double uniform = (double)(((thread->random * 0x2545f4914f6cdd1du) >> 11) + 1) * 0x1p-53;
  return (int64_t)(-log(uniform) * (double)state.interval);
}

static struct insight_site *find_site(const uintptr_t *frames, uint32_t depth, uint32_t physical, uint32_t *index) {
  uint64_t hash = 0x9e3779b97f4a7c15u + depth;
  for (uint32_t i = 0; i < depth; i++) hash = (hash ^ frames[i]) * 0xff51afd7ed558ccdu, hash ^= hash >> 32;
  uint32_t place = (uint32_t)hash & (SITE_PLACES - 1);
  for (; tables->site_places[place] != 0; place = (place + 1) & (SITE_PLACES - 1)) {
    *index = tables->site_places[place] - 1;
    struct insight_site *site = &tables->sites[*index];
    if (site->hash == hash && site->depth == depth && memcmp(site->frames, frames, depth * sizeof *frames) == 0)
      return site;
  }
  if (state.site_count >= OTHER_SITES) {
    *index = OTHER_SITES;
    state.site_count = SITES;
    return &tables->sites[OTHER_SITES];
  }
  *index = state.site_count++;
  tables->site_places[place] = *index + 1;
  struct insight_site *site = &tables->sites[*index];
  site->hash = hash;
  site->depth = depth;
  site->physical_depth = physical;
  memcpy(site->frames, frames, depth * sizeof *frames);
  return site;
}

static uint32_t *live_place(uintptr_t address) {
  return &tables->live_places[profile_hash(address) >> 20 & (LIVE_PLACES - 1)];
}

void profile_change_filter(uintptr_t address, bool is_added) {
  uint64_t bit = profile_hash(address) >> (64 - PROFILE_FILTER_BITS), mask = (uint64_t)1 << (bit & 63);
  uint8_t *number = &filter_counts[bit];
  if (*number == 255) return;
  *number += is_added ? 1 : -1;
  if (is_added)
    __atomic_fetch_or(&profile_filter[bit >> 6], mask, __ATOMIC_RELAXED);
  else if (*number == 0)
    __atomic_fetch_and(&profile_filter[bit >> 6], ~mask, __ATOMIC_RELAXED);
}

static struct insight_live_block remove_live(uintptr_t address) {
  struct insight_live_block none = {0};
  uint32_t *link = live_place(address);
  while (*link && tables->live[*link].address != address) link = &tables->live[*link].next;
  uint32_t index = *link;
  if (index == 0) return none;
  struct insight_live_block block = tables->live[index];
  *link = block.next;
  tables->live[index].address = 0;
  tables->live[index].next = free_live;
  free_live = index;
  profile_change_filter(address, false);
  return block;
}

static void add_live(struct insight_live_block block) {
  // Released where it was not seen.
  remove_live(block.address);
  uint32_t index = free_live;
  if (index)
    free_live = tables->live[index].next;
  else if (used_live + 1 < LIVE_BLOCKS)
    index = ++used_live;
  else {
    state.lost_samples++;
    return;
  }
  uint32_t *link = live_place(block.address);
  block.next = *link;
  tables->live[index] = block;
  *link = index;
  profile_change_filter(block.address, true);
}

// Whether the thread was not in here already.
static bool enter(void) {
  if (profile_thread.is_busy) return false;
  profile_thread.is_busy = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return true;
}

static void leave(void) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  profile_thread.is_busy = 0;
}

__attribute__((noinline)) void profile_count(void *block, size_t size, const uintptr_t *frame) {
  if (!enter()) return;
  int code = errno;
  struct profile_thread *thread = &profile_thread;
  uint32_t generation = __atomic_load_n(&profile_generation, __ATOMIC_ACQUIRE);
  bool is_sampled = generation != 0;
  if (thread->generation != generation) {
    // The thread's first in this profile: the distance has to be drawn before this block is counted.
    thread->generation = generation;
    thread->left = generation ? draw() - (int64_t)size : INT64_MAX;
    is_sampled = generation != 0 && thread->left < 0;
  }
  if (generation == 0) thread->left = INT64_MAX;
  if (is_sampled) {
    // A block is sampled once at most; what comes behind it does not depend on it.
    thread->left = draw();
    uintptr_t frames[INSIGHT_STACK_DEPTH];
    uint32_t physical, depth = profile_walk(frame, frames, &physical);
    double interval = (double)state.interval, bytes = size > 0 ? (double)size : 1;
    double probability = -expm1(-bytes / interval), weight = 1 / probability;
    double variance = (1 - probability) * weight * weight;
    profile_take_lock();
    if (generation == profile_generation) {
      uint32_t index;
      struct insight_site *site = find_site(frames, depth, physical, &index);
      site->samples++;
      site->objects += weight;
      site->objects_variance += variance;
      site->bytes += weight * (double)size;
      site->bytes_variance += variance * bytes * bytes;
      state.samples++;
      if (depth < 3) state.short_stacks++;
      add_live((struct insight_live_block){
        .address = (uintptr_t)block, .size = size, .serial = state.samples, .site = index});
    }
    profile_give_lock();
  }
  errno = code;
  leave();
}

__attribute__((noinline)) void profile_release(void *block, struct profile_released *released) {
  released->was_sampled = false;
  released->kept_count = 0;
  if (!enter()) {
    __atomic_fetch_add(&state.missed_releases, 1, __ATOMIC_RELAXED);
    return;
  }
  int code = errno;
  profile_take_lock();
  if (profile_generation != 0) {
    released->block = remove_live((uintptr_t)block);
    released->was_sampled = released->block.address != 0;
  }
  profile_release_kept((uintptr_t)block, released);
  profile_give_lock();
  errno = code;
  leave();
}

void profile_take_back(void *block, const struct profile_released *released) {
  if (!enter()) return;
  profile_take_lock();
  if (profile_generation != 0 && released->was_sampled) add_live(released->block);
  profile_take_back_kept((uintptr_t)block, released);
  profile_give_lock();
  leave();
}

bool profile_prepare_tables(int64_t interval) {
  if (!tables) {
    void *memory =
      mmap(NULL, sizeof *tables, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    tables = memory;
  } else if (madvise(tables, sizeof *tables, MADV_DONTNEED) != 0) {
    // Locked in memory (mlockall).
    memset(tables, 0, sizeof *tables);
  }
  bool was_free = enter();
  profile_take_lock();
  memset(profile_filter, 0, sizeof profile_filter);
  memset(filter_counts, 0, sizeof filter_counts);
  profile_filter_kept();
  memset(&state, 0, sizeof state);
  state.interval = interval;
  free_live = used_live = 0;
  profile_give_lock();
  if (was_free) leave();
  return true;
}

void profile_forget_in_child(void) {
  lock = 0;
  profile_thread.is_busy = 0;
  profile_generation = profile_attention = 0;
  state.interval = 0;
  memset(profile_filter, 0, sizeof profile_filter);
  memset(filter_counts, 0, sizeof filter_counts);
  profile_forget_scopes_in_child();
}

int64_t insight_profile_leave_out(void) {
  if (!enter()) return INT64_MIN;
  return profile_thread.left;
}

void insight_profile_take_in(int64_t before) {
  if (before == INT64_MIN) return;
  profile_thread.left = before;
  leave();
}

// Read by ordinary code. A signal handler that allocates meanwhile is not sampled.

void insight_profile_read_state(struct insight_profile_state *result) {
  bool was_free = enter();
  profile_take_lock();
  *result = state;
  result->live_capacity = used_live + 1;
  if (profile_generation == 0) result->interval = 0;
  bool has_malloc;
  struct profile_slots slots = profile_current_slots(&has_malloc);
  result->slots = slots.slots;
  result->images = slots.images;
  result->refused_slots = slots.refused + slots.pending;
  result->program_has_malloc = has_malloc;
  result->async_frames = profile_async_frames;
  profile_give_lock();
  if (was_free) leave();
}

void insight_profile_read_site(uint32_t index, struct insight_site *site) {
  bool was_free = enter();
  profile_take_lock();
  *site = tables->sites[index];
  profile_give_lock();
  if (was_free) leave();
}

void insight_profile_read_live(uint32_t first, uint32_t count, struct insight_live_block *blocks) {
  bool was_free = enter();
  profile_take_lock();
  memcpy(blocks, &tables->live[first], count * sizeof *blocks);
  profile_give_lock();
  if (was_free) leave();
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#define _GNU_SOURCE

#include "CNestSupport.h"

#include <limits.h>
#include <pthread.h>
#include <sys/auxv.h>

_Thread_local void *nest_thread_cache __attribute__((tls_model("initial-exec"))) = (void *)nest_empty_cache;
_Thread_local int nest_thread_ended __attribute__((tls_model("initial-exec")));
_Thread_local int nest_thread_early_releases __attribute__((tls_model("initial-exec")));
#ifdef DEBUG
static _Thread_local uint32_t held_ranks __attribute__((tls_model("initial-exec")));
static int checks_ranks;

uint32_t *nest_held_ranks(void) { return &held_ranks; }
int nest_checks_ranks(void) { return __atomic_load_n(&checks_ranks, __ATOMIC_RELAXED); }
void nest_check_ranks(void) { __atomic_store_n(&checks_ranks, 1, __ATOMIC_RELAXED); }
#endif
#if !__has_feature(thread_sanitizer)
static _Thread_local int calls_of_destructor __attribute__((tls_model("initial-exec")));
#endif

// MARK: The end of a thread

static pthread_key_t thread_key;
static int thread_key_state;  // 0 not made, 1 being made, 2 made

// The destructors of a thread run in rounds, and some in the order in which their keys were made: others run after this one,
// and may allocate. So it asks to be called in each round; what comes after it in the last one, the heaps serve themselves.
static void thread_ends(__attribute__((unused)) void *value) {
#if __has_feature(thread_sanitizer)
  // What the sanitizer follows must not run after the sanitizer's own destructor, which comes in the last round.
  int is_last = 1;
#else
  calls_of_destructor++;
  int is_last = calls_of_destructor >= PTHREAD_DESTRUCTOR_ITERATIONS || pthread_setspecific(thread_key, value) != 0;
#endif
  nest_thread_exit(is_last);
}

void nest_watch_thread(void) {
  while (1) {
    int state = __atomic_load_n(&thread_key_state, __ATOMIC_ACQUIRE);
    if (state == 2) break;
    if (state == 0 && __atomic_compare_exchange_n(&thread_key_state, &state, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      int made = pthread_key_create(&thread_key, thread_ends) == 0;
      __atomic_store_n(&thread_key_state, made ? 2 : 0, __ATOMIC_RELEASE);
      if (!made) return;
      break;
    }
    // Who makes it may be no more.
    if (nest_is_new_process()) nest_after_fork_in_child();
    nest_pause();
  }
  pthread_setspecific(thread_key, &thread_key);
}

void nest_forget_unmade_key(void) {
  int being_made = 1;
  __atomic_compare_exchange_n(&thread_key_state, &being_made, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

// MARK: The mark of a process

// Where the kernel (before 4.14) has no such pages, a handler of fork clears this one; other handlers may run before it.
uint32_t nest_unwiped_mark = 1;
static int mark_state;  // 0 not looked for, 1 found or not

static void is_child(void) {
  __atomic_store_n(&nest_unwiped_mark, 0, __ATOMIC_RELEASE);
  nest_after_fork_in_child();
}

void nest_initialize(void) {
  if (__atomic_load_n(&nest_sealed.secret, __ATOMIC_ACQUIRE) == 0) {
    // 16 bytes that the kernel drew at random for this process.
    const uint64_t *random = (const uint64_t *)getauxval(AT_RANDOM);
    uint64_t secret = random ? (random[0] * 0x9e3779b97f4a7c15u) ^ random[1] : 0x9e3779b97f4a7c15u;
    uintptr_t none = 0;
    __atomic_compare_exchange_n(&nest_sealed.secret, &none, (secret | 1ul << 63) & ~(1ul << 62), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  }
  int none = 0;
  if (!__atomic_compare_exchange_n(&mark_state, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
  nest_uncache_chunk(0);
  uint32_t *page = nest_map(NULL, nest_page_size());
  if (!page) return;
  if (!nest_wipe_on_fork(page, nest_page_size())) {
    nest_unmap(page, nest_page_size());
    return;
  }
  *page = 1;
  __atomic_store_n(&nest_sealed.process_mark, page, __ATOMIC_RELEASE);
}

static int has_started;

int nest_has_started(void) { return __atomic_load_n(&has_started, __ATOMIC_ACQUIRE); }

// Before main, and not within malloc: the C library holds a lock while it registers, and may allocate.
__attribute__((constructor(101))) static void start(void) {
  nest_initialize();
  nest_look_for_huge_pages();
  nest_allow_helper_of_malloc();
  nest_start_sampling_of_malloc();
  nest_find_clock();
  if (nest_sealed.process_mark == &nest_unwiped_mark) pthread_atfork(NULL, NULL, is_child);
  __atomic_store_n(&has_started, 1, __ATOMIC_RELEASE);
  // A hardened allocator of the process that has served nobody yet has not begun either: it seals as soon as it has.
  if (!nest_is_hardened_malloc() || (nest_hardening() & NEST_HAS_BEGUN) != 0) nest_seal();
}

int nest_may_mend(void) {
  while (nest_is_new_process()) {
    uint32_t none = 0;
    if (__atomic_compare_exchange_n(nest_sealed.process_mark, &none, 2, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return 1;
    nest_pause();
  }
  return 0;
}

static uint32_t process_number;

uint32_t nest_process_number(void) { return __atomic_load_n(&process_number, __ATOMIC_RELAXED); }

static uint32_t mended_locks;

void nest_count_mended_lock(void) { __atomic_fetch_add(&mended_locks, 1, __ATOMIC_RELAXED); }

uint32_t nest_mended_locks(void) { return __atomic_load_n(&mended_locks, __ATOMIC_RELAXED); }

void nest_has_mended(void) {
  __atomic_fetch_add(&process_number, 1, __ATOMIC_RELAXED);
  __atomic_store_n(nest_sealed.process_mark, 1, __ATOMIC_RELEASE);
}

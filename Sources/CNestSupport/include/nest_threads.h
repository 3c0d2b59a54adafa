// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The calling thread, and what the thread library tells: a thread's end, and fork.

#ifndef C_NEST_THREADS_H
#define C_NEST_THREADS_H

#include "nest_system.h"

// The calling thread's cache of blocks; `nest_empty_cache` before its first allocation and after its end, so that the fast path of
// malloc needs no check for null. Few bytes of static thread-local storage: a library with more than a few hundred cannot be
// opened by dlopen.
extern _Thread_local void *_Nonnull nest_thread_cache __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;

// Whether this thread gets no cache any more.
extern _Thread_local int nest_thread_ended __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;

ALLOCATOR_LEAF static inline void *_Nonnull nest_cache(void) { return nest_thread_cache; }
ALLOCATOR_LEAF static inline void nest_set_cache(void *_Nonnull cache) { nest_thread_cache = cache; }
ALLOCATOR_LEAF static inline int nest_has_ended(void) { return nest_thread_ended; }
// Counts a release of a thread without a cache. Whether it has made more than a few.
extern _Thread_local int nest_thread_early_releases __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;
ALLOCATOR_LEAF static inline int nest_note_early_release(void) { return ++nest_thread_early_releases > 4; }
ALLOCATOR_LEAF static inline void nest_set_ended(int ended) { nest_thread_ended = ended; }

// A value that no other thread of this process has, and that fork's child inherits.
ALLOCATOR_LEAF static inline uintptr_t nest_thread_identity(void) { return (uintptr_t)&nest_thread_cache; }

// Debug builds: the ranks of the locks that the calling thread holds, a bit for each; and whether somebody wants them checked.
// A signal handler takes locks whatever the code holds that it has interrupted, so it is tests that want it.
ALLOCATOR_LEAF uint32_t *_Nonnull nest_held_ranks(void);
ALLOCATOR_LEAF int nest_checks_ranks(void);
ALLOCATOR_LEAF void nest_check_ranks(void);

// Processors that this process may run on, at least 1. sched_getaffinity(2).
ALLOCATOR_LEAF unsigned nest_processor_count(void);

// Draws the secret of the process and marks the process. Cheap when that is done.
ALLOCATOR_LEAF void nest_initialize(void);
// Whether the constructor has run, after which nothing of nest_sealed changes by itself.
int nest_has_started(void);
// Has nest_thread_exit called when the calling thread ends.
ALLOCATOR_LEAF void nest_watch_thread(void);
// In a child: what makes that known may have been under way in a thread that is no more.
ALLOCATOR_LEAF void nest_forget_unmade_key(void);

// A word that is 1 in the process that called nest_initialize, and 0 in a child that fork has made of it, whichever way: the
// kernel clears the page. 2 while a child mends what its parent's other threads have left. See AfterFork.
// What it is where the kernel has no such pages is cleared by a handler of fork.
extern uint32_t nest_unwiped_mark NEST_HIDDEN;

ALLOCATOR_LEAF static inline int nest_is_new_process(void) {
  return __builtin_expect(__atomic_load_n(nest_sealed.process_mark, __ATOMIC_ACQUIRE) != 1, 0);
}
// Whether the calling thread is the process's first: in a child, the one that forked. gettid(2).
ALLOCATOR_LEAF int nest_is_first_thread(void);
// Whether the caller is the one who mends, and has to call nest_has_mended. The others wait until that is done.
ALLOCATOR_LEAF int nest_may_mend(void);
ALLOCATOR_LEAF void nest_has_mended(void);
// How often that has happened, from the first process on.
ALLOCATOR_LEAF uint32_t nest_process_number(void);

// Counts a lock of a thread that is no more. For tests.
ALLOCATOR_LEAF void nest_count_mended_lock(void);
uint32_t nest_mended_locks(void);

// MARK: The helper

// Lets a helper be started in this process, unless the environment has NEST_BACKGROUND=0; starts it if that has NEST_BACKGROUND=1.
void nest_allow_helper(void);
// Whether the environment has NEST_BACKGROUND=1: a process with one thread has a helper, too.
ALLOCATOR_LEAF int nest_wants_helper(void);
// The same if Nest is the allocator of the process.
void nest_allow_helper_of_malloc(void);
ALLOCATOR_LEAF int nest_may_have_helper(void);
// Starts the helper, if this process has none: nest_helper on a thread that the C library does not know of. It has all signals
// blocked, 64 KiB of stack, and dies with the process. clone(2).
ALLOCATOR_LEAF void nest_start_helper(void);
ALLOCATOR_LEAF int nest_has_helper(void);
// For the helper: sleeps for a time.
ALLOCATOR_LEAF void nest_helper_sleep(int64_t milliseconds);
// For the helper: from now on, nest_wake_helper is heard. And sleeps until one has been since.
ALLOCATOR_LEAF void nest_helper_announce(void);
ALLOCATOR_LEAF void nest_helper_wait(void);
// Wakes the helper if it sleeps without an end. Costs a load, else.
ALLOCATOR_LEAF void nest_wake_helper_slowly(void);
extern uint32_t nest_helper_word NEST_HIDDEN;
ALLOCATOR_LEAF static inline void nest_wake_helper(void) {
  if (__builtin_expect(__atomic_load_n(&nest_helper_word, __ATOMIC_RELAXED) == 1, 0)) nest_wake_helper_slowly();
}

// Defined by the Swift side.
// What the helper does; never returns.
_Noreturn void nest_helper(void);
// The destructors of the calling thread's values run; its cache is emptied. With `is_last`, it gets no other any more.
void nest_thread_exit(int is_last);
void nest_after_fork_in_child(void);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The calling thread, and what the thread library tells: a thread's end, and fork.

#ifndef C_NEST_THREADS_H
#define C_NEST_THREADS_H

#include "nest_system.h"

// The calling thread's heap; `nest_empty_heap` before its first allocation and after its end, so that the fast path of
// malloc needs no check for null. Few bytes of static thread-local storage: a library with more than a few hundred cannot be
// opened by dlopen.
extern _Thread_local void *_Nonnull nest_thread_heap __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;

// Whether this thread gets no heap any more.
extern _Thread_local int nest_thread_ended __attribute__((tls_model("initial-exec"))) NEST_HIDDEN;

NEST_LEAF static inline void *_Nonnull nest_heap(void) { return nest_thread_heap; }
NEST_LEAF static inline void nest_set_heap(void *_Nonnull heap) { nest_thread_heap = heap; }
NEST_LEAF static inline int nest_has_ended(void) { return nest_thread_ended; }
NEST_LEAF static inline void nest_set_ended(int ended) { nest_thread_ended = ended; }

// A value that no other thread of this process has, and that fork's child inherits.
NEST_LEAF static inline uintptr_t nest_thread_identity(void) { return (uintptr_t)&nest_thread_heap; }

// Draws the secret of the process and marks the process. Cheap when that is done.
NEST_LEAF void nest_initialize(void);
// Has nest_thread_exit called when the calling thread ends.
NEST_LEAF void nest_watch_thread(void);
// In a child: what makes that known may have been under way in a thread that is no more.
NEST_LEAF void nest_forget_unmade_key(void);

// A word that is 1 in the process that called nest_initialize, and 0 in a child that fork has made of it, whichever way: the
// kernel clears the page. 2 while a child mends what its parent's other threads have left. See AfterFork.
extern uint32_t *_Nonnull nest_process_mark NEST_HIDDEN;

NEST_LEAF static inline int nest_is_new_process(void) {
  return __builtin_expect(__atomic_load_n(nest_process_mark, __ATOMIC_ACQUIRE) != 1, 0);
}
// Whether the caller is the one who mends, and has to call nest_has_mended. The others wait until that is done.
NEST_LEAF int nest_may_mend(void);
NEST_LEAF void nest_has_mended(void);
// How often that has happened, from the first process on.
NEST_LEAF uint32_t nest_process_number(void);

// Counts a lock of a thread that is no more. For tests.
NEST_LEAF void nest_count_mended_lock(void);
uint32_t nest_mended_locks(void);

// Defined by the Swift side.
// The destructors of the calling thread's values run; its heap goes to others. With `is_last`, it gets no other any more.
void nest_thread_exit(int is_last);
void nest_after_fork_in_child(void);

#endif

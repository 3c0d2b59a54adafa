// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A thread that the C library does not know of.
//
// pthread_create allocates, takes locks of the C library, and can be replaced; malloc may be called under any of those locks.
// So the thread is made by the system call alone. It gets a block of thread-local storage of its own, zeroed but for what Nest
// reads, and calls nothing of the C library. All signals are blocked in it, so that no handler of the program runs there. The C
// library does not count it: a program that ends by the end of its last thread still ends.

#define _GNU_SOURCE

#include "CNestSupport.h"
#include "system_call.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#if !__has_feature(thread_sanitizer) && (defined(__x86_64__) || defined(__aarch64__))
#define CAN_HAVE_HELPER 1
#else
#define CAN_HAVE_HELPER 0
#endif

// Whether the kernel has refused one.
static int is_refused;
// The number of the process, from 1, in which the helper runs; 0 for none.
static uint32_t helper_process;
// 1 while the helper sleeps without an end, or is about to.
uint32_t nest_helper_word;

// Of the shim: the name of the allocator that it exports as malloc. Not there where none is.
extern const char *__swift_malloc_name(void) __attribute__((weak));

void nest_allow_helper_of_malloc(void) {
  if (__swift_malloc_name && strncmp(__swift_malloc_name(), "nest", 4) == 0) nest_allow_helper();
}

void nest_allow_helper(void) {
  const char *value = getenv("NEST_BACKGROUND");
  if (!CAN_HAVE_HELPER || (value && value[0] == '0' && value[1] == 0)) return;
  int is_wanted = value && value[0] == '1' && value[1] == 0;
  if (!nest_unseal()) return;
  __atomic_store_n(&nest_sealed.may_have_helper, 1, __ATOMIC_RELAXED);
  if (is_wanted) __atomic_store_n(&nest_sealed.wants_helper, 1, __ATOMIC_RELAXED);
  nest_seal_again();
  if (!is_wanted) return;
  nest_start_helper();
}

int nest_wants_helper(void) { return (int)__atomic_load_n(&nest_sealed.wants_helper, __ATOMIC_RELAXED); }

int nest_may_have_helper(void) {
  return __atomic_load_n(&nest_sealed.may_have_helper, __ATOMIC_RELAXED) && !__atomic_load_n(&is_refused, __ATOMIC_RELAXED);
}

int nest_has_helper(void) {
  uint32_t process = __atomic_load_n(&helper_process, __ATOMIC_RELAXED);
  return process != 0 && process == nest_process_number() + 1 && !nest_is_new_process();
}

#if CAN_HAVE_HELPER

static char *thread_pointer(void) {
  char *pointer;
#if defined(__x86_64__)
  __asm__("mov %%fs:0, %0" : "=r"(pointer));
#else
  __asm__("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
  return pointer;
}

enum { stack_bytes = 64 << 10, control_bytes = 4096 };

// A new thread-local storage and a stack in one mapping. Returns the thread pointer, and through `stack` the stack's end.
static char *make_storage(char **stack, char **mapping, size_t *size) {
  char *own = thread_pointer();
  ptrdiff_t cache = (char *)&nest_thread_cache - own, ended = (char *)&nest_thread_ended - own;
  ptrdiff_t lowest = cache < ended ? cache : ended, highest = cache < ended ? ended : cache;
  size_t below = (size_t)(lowest < 0 ? -lowest : 0), above = (size_t)(highest > 0 ? highest : 0);
  size_t page = nest_page_size();
  below = (below + 64 + page - 1) & -page;
  above = (above + control_bytes + page - 1) & -page;
  *size = stack_bytes + below + above;
  *mapping = nest_map(NULL, *size);
  if (!*mapping) return NULL;
  *stack = *mapping + stack_bytes;
  char *pointer = *stack + below;
#if defined(__x86_64__)
  // The pointer to itself, by which addresses of thread-local variables are computed; and what stack protectors compare.
  *(void **)(void *)pointer = pointer;
  *(void **)(void *)(pointer + 16) = pointer;
  memcpy(pointer + 40, own + 40, 2 * sizeof(long));
#endif
  void *none = nest_no_cache();
  int has_ended = 1;
  memcpy(pointer + cache, &none, sizeof none);
  memcpy(pointer + ended, &has_ended, sizeof has_ended);
  return pointer;
}

__attribute__((noinline)) static long clone_thread(char *stack, char *pointer) {
  long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS;
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = 0;
  register char *r8 __asm__("r8") = pointer;
  register void (*r9)(void) __asm__("r9") = nest_helper;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "call *%%r9\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(0), "r"(r10), "r"(r8), "r"(r9)
      : "rcx", "r11", "memory");
  return result;
#else
  register long x8 __asm__("x8") = SYS_clone;
  register long x0 __asm__("x0") = flags;
  register char *x1 __asm__("x1") = stack;
  register long x2 __asm__("x2") = 0;
  register char *x3 __asm__("x3") = pointer;
  register long x4 __asm__("x4") = 0;
  register void (*x9)(void) __asm__("x9") = nest_helper;
  __asm__ volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "blr x9\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x9)
      : "x30", "memory");
  return x0;
#endif
}

void nest_start_helper(void) {
  if (!nest_may_have_helper() || nest_is_new_process()) return;
  uint32_t before = __atomic_load_n(&helper_process, __ATOMIC_RELAXED), number = nest_process_number() + 1;
  if (before == number) return;
  if (!__atomic_compare_exchange_n(&helper_process, &before, number, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
  __atomic_store_n(&nest_helper_word, 0, __ATOMIC_RELAXED);
  char *stack, *mapping;
  size_t size;
  char *pointer = make_storage(&stack, &mapping, &size);
  if (!pointer) {
    // No memory now; the next thread tries again.
    __atomic_store_n(&helper_process, 0, __ATOMIC_RELEASE);
    return;
  }
  // The kernel's set of signals is 8 bytes.
  uint64_t all = ~(uint64_t)0, old = 0;
  system_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, sizeof all, 0, 0);
  long result = clone_thread(stack, pointer);
  system_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof old, 0, 0);
  // Refused, it is not tried again: callers go on giving memory back themselves.
  if (result < 0) {
    __atomic_store_n(&is_refused, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&helper_process, 0, __ATOMIC_RELEASE);
    nest_unmap(mapping, size);
  }
}

void nest_helper_sleep(int64_t milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  // Nobody changes or wakes a word of one's own.
  uint32_t word = 0;
  system_call(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0, (long)&time, 0, 0);
}

void nest_helper_announce(void) { __atomic_store_n(&nest_helper_word, 1, __ATOMIC_SEQ_CST); }

void nest_helper_wait(void) {
  while (__atomic_load_n(&nest_helper_word, __ATOMIC_ACQUIRE) == 1)
    system_call(SYS_futex, (long)&nest_helper_word, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0);
}

void nest_wake_helper_slowly(void) {
  if (__atomic_exchange_n(&nest_helper_word, 0, __ATOMIC_ACQ_REL) == 1)
    system_call(SYS_futex, (long)&nest_helper_word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

#else

void nest_start_helper(void) {}
void nest_helper_sleep(int64_t milliseconds) { (void)milliseconds; }
void nest_helper_announce(void) {}
void nest_helper_wait(void) {}
void nest_wake_helper_slowly(void) {}

#endif

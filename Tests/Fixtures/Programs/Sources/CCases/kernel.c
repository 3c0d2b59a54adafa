// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A kernel that says no, and hooks on what asks it.

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "work.h"

// Kilobytes of address space (0) or resident memory (1), without allocation.
static long statm(int which) {
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY);
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  CHECK(length > 0, "statm");
  text[length] = 0;
  char *rest = text;
  long size = strtol(rest, &rest, 10);
  if (which == 1) size = strtol(rest, &rest, 10);
  return size * (sysconf(_SC_PAGESIZE) / 1024);
}
static long address_space(void) { return statm(0); }
static long resident(void) { return statm(1); }

// MARK: Hooks

static atomic_int hook_calls;
static _Thread_local int is_watched;

// As an MPI library has them: a cache of registered memory wants to know. This one allocates.
static void note_call(void) {
  if (!is_watched) return;
  is_watched = 0;
  hook_calls++;
  free(opaque(malloc(100)));
  is_watched = 1;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  note_call();
  return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
void *mmap64(void *address, size_t size, int protection, int flags, int file, off64_t offset) {
  note_call();
  return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
int munmap(void *address, size_t size) {
  note_call();
  return (int)syscall(SYS_munmap, address, size);
}
int madvise(void *address, size_t size, int advice) {
  note_call();
  return (int)syscall(SYS_madvise, address, size, advice);
}
int mprotect(void *address, size_t size, int protection) {
  note_call();
  return (int)syscall(SYS_mprotect, address, size, protection);
}
void *mremap(void *address, size_t size, size_t new_size, int flags, ...) {
  note_call();
  va_list rest;
  va_start(rest, flags);
  void *target = flags & MREMAP_FIXED ? va_arg(rest, void *) : NULL;
  va_end(rest);
  return (void *)syscall(SYS_mremap, address, size, new_size, flags, target);
}

// No call of the C library's that somebody may have replaced is made by malloc and its kin.
void case_hooks(void) {
  struct work work = {.seed = 3};
  is_watched = 1;
  work_on(&work, 20000);
  work_end(&work);
  malloc_trim(0);
  is_watched = 0;
  CHECK(hook_calls == 0, "%d calls", hook_calls);
}

// MARK: Sandboxes

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW_CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ERROR(number) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (number))

static void enter(struct sock_filter *filter, size_t count) {
  struct sock_fprog program = {(unsigned short)count, filter};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "%s", strerror(errno));
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "%s", strerror(errno));
}

static void deny(int number, int error) {
  struct sock_filter filter[] = {
      LOAD(nr),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      ERROR(error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  enter(filter, sizeof filter / sizeof filter[0]);
}

// Works before and after a call is denied: neither address space nor resident memory grows without bound.
static void work_without(int number, int error, long most_growth) {
  struct work work = {.seed = 4};
  work_on(&work, 10000);
  work_end(&work);
  deny(number, error);
  work_on(&work, 20000);
  work_end(&work);
  malloc_trim(0);
  long space = address_space(), memory = resident();
  for (int round = 0; round < 6; round++) {
    work_on(&work, 20000);
    work_end(&work);
    malloc_trim(0);
  }
  long more_space = address_space() - space, more_memory = resident() - memory;
  CHECK(more_space <= most_growth, "%ld KiB more address space", more_space);
  CHECK(more_memory <= 16 << 10, "%ld KiB more resident memory", more_memory);
}

void case_no_mremap(void) { work_without(SYS_mremap, EPERM, 16 << 10); }
// What cannot be unmapped is used again.
void case_no_munmap(void) { work_without(SYS_munmap, ENOMEM, 128 << 10); }
// Nothing goes back by pages; all that is unmapped does.
void case_no_madvise(void) { work_without(SYS_madvise, EINVAL, 16 << 10); }
// Nothing is made read-only or out of reach any more, and what is already stays so.
void case_no_mprotect(void) { work_without(SYS_mprotect, EPERM, 48 << 10); }

// No new memory: what is there is used, the rest is refused, and nothing breaks.
void case_no_mmap(void) {
  struct work work = {.seed = 6, .may_fail = 1};
  work_on(&work, 5000);
  deny(SYS_mmap, ENOMEM);
  work_on(&work, 30000);
  CHECK(work.refused > 0, "nothing was refused");
  for (int index = 0; index < 1000; index++) {
    void *block = opaque(malloc(opaque_size(100)));
    CHECK(block != NULL, "100 bytes, %d", index);
    free(block);
  }
  work_end(&work);
}

// What glibc's malloc calls is allowed, everything else ends the process: a worker that handles what it does not trust.
void case_strict_sandbox(void) {
  struct work work = {.seed = 8};
  work_on(&work, 2000);
  struct sock_filter filter[] = {
      LOAD(nr),
#ifdef SYS_brk
      ALLOW_CALL(SYS_brk),
#endif
      ALLOW_CALL(SYS_mmap),
      ALLOW_CALL(SYS_munmap),
      ALLOW_CALL(SYS_mremap),
      ALLOW_CALL(SYS_madvise),
      ALLOW_CALL(SYS_mprotect),
      ALLOW_CALL(SYS_futex),
      ALLOW_CALL(SYS_write),
      ALLOW_CALL(SYS_exit_group),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  enter(filter, sizeof filter / sizeof filter[0]);
  work_on(&work, 60000);
  work_end(&work);
  malloc_trim(0);
  work_on(&work, 20000);
  work_end(&work);
  _exit(0);
}

// MARK: Too many mappings

// As many mappings as the system allows (vm.max_map_count): whatever would divide one fails.
void case_map_limit(void) {
  enum { most = 1 << 20 };
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct work work = {.seed = 10, .may_fail = 1};
  work_on(&work, 3000);
  // Blocks that are resized and released when mappings have run out.
  enum { count = 40 };
  static char *huge[count];
  for (int index = 0; index < count; index++) {
    huge[index] = malloc(3000000 + 100000 * (size_t)index);
    CHECK(huge[index], "huge block %d", index);
    memset(huge[index], index, 3000000);
  }
  malloc_trim(0);
  long space = address_space();
  char *range = mmap(NULL, page * 2 * most, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(range != MAP_FAILED, "%s", strerror(errno));
  size_t divided = 0;
  while (divided < most && mprotect(range + page * (2 * divided + 1), page, PROT_READ) == 0) divided++;
  CHECK(divided < most, "there is no limit");
  for (int round = 0; round < (is_short() ? 1 : 3); round++) work_on(&work, 5000);
  for (int index = 0; index < count; index += 2) {
    char *smaller = realloc(huge[index], 1200000);
    if (smaller) huge[index] = smaller;
    CHECK(huge[index][0] == (char)index && huge[index][1199999] == (char)index, "block %d", index);
  }
  for (int index = 0; index < count; index++) free(huge[index]);
  work_end(&work);
  malloc_trim(0);
  munmap(range, page * 2 * most);
  // Now that it is possible, all goes back.
  for (int round = 0; round < 4; round++) {
    work_on(&work, 2000);
    work_end(&work);
    malloc_trim(0);
  }
  long more = address_space() - space;
  CHECK(more <= 24 << 10, "%ld KiB more address space", more);
}

// MARK: Locked memory

// Pages that are locked cannot be given back one by one (madvise gives EINVAL).
void case_locked(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
    printf("skipped: mlockall: %s\n", strerror(errno));
    return;
  }
  struct work work = {.seed = 12, .may_fail = 1};
  for (int round = 0; round < (is_short() ? 2 : 5); round++) {
    work_on(&work, 4000);
    work_end(&work);
    malloc_trim(0);
  }
  munlockall();
  for (int round = 0; round < (is_short() ? 1 : 3); round++) {
    work_on(&work, 4000);
    work_end(&work);
  }
}

// MARK: Scarce memory

// Under RLIMIT_AS: memory is exhausted by blocks of one size, all of it is released, and one block of another is wanted.
void case_scarce(void) {
  static void *blocks[3000000];
  size_t room = is_short() ? 128ul << 20 : 256ul << 20;
  struct rlimit limit = {(size_t)address_space() * 1024 + room, RLIM_INFINITY};
  limit.rlim_max = limit.rlim_cur;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "%s", strerror(errno));
  const size_t sizes[] = {100, 2000, 4096, 40000, 65536, 300000, 1 << 20, 5 << 20, 60 << 20};
  enum { kinds = sizeof sizes / sizeof sizes[0] };
  // Of all pairs, or of each fifth.
  size_t step = is_short() ? 5 : 1;
  for (size_t first = 0; first < kinds; first++)
    for (size_t second = first % step; second < kinds; second += step) {
      size_t count = 0;
      while (count < sizeof blocks / sizeof blocks[0] && (blocks[count] = malloc(sizes[first]))) {
        *(char *)blocks[count] = 1;
        count++;
      }
      CHECK(count * sizes[first] >= room / 256 * 60, "only %zu blocks of %zu", count, sizes[first]);
      for (size_t index = 0; index < count; index++) free(blocks[index]);
      void *block = malloc(sizes[second]);
      CHECK(block, "after %zu blocks of %zu were released, %zu bytes are refused", count, sizes[first], sizes[second]);
      free(block);
    }
}

// MARK: Going back

// One large block is released, and then nothing but small ones are wanted.
void case_big_block(void) {
  size_t size = is_short() ? 64 << 20 : 256 << 20;
  long before = resident();
  char *block = opaque(malloc(size));
  CHECK(block, "no memory");
  memset(block, 1, size);
  void *pin = opaque(malloc(64));
  free(opaque(block));
  for (int index = 0; index < 1000000; index++) free(opaque(malloc(opaque_size((size_t)index % 500 + 1))));
  free(pin);
  long more = resident() - before;
  CHECK(more <= 12 << 10, "%ld KiB stay resident", more);
}

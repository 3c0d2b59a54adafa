// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The life of threads and processes.

#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

// A few thousand allocations of mixed sizes, checked.
static void work(unsigned seed, int rounds) {
  enum { slots = 64 };
  unsigned char *blocks[slots] = {0};
  size_t sizes[slots] = {0};
  for (int round = 0; round < rounds; round++) {
    seed = seed * 1664525 + 1013904223;
    unsigned slot = (seed >> 8) % slots;
    if (blocks[slot]) {
      CHECK(blocks[slot][0] == (unsigned char)slot && blocks[slot][sizes[slot] - 1] == (unsigned char)slot, "a block changed");
      free(blocks[slot]);
    }
    sizes[slot] = 1 + (seed >> 16) % (round % 50 ? 600 : 200000);
    blocks[slot] = malloc(sizes[slot]);
    CHECK(blocks[slot], "%zu bytes", sizes[slot]);
    blocks[slot][0] = blocks[slot][sizes[slot] - 1] = (unsigned char)slot;
  }
  for (int slot = 0; slot < slots; slot++) free(blocks[slot]);
}

static size_t resident_pages(void) {
  size_t total = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file && fscanf(file, "%zu %zu", &total, &resident) == 2, "statm");
  fclose(file);
  return resident;
}

// MARK: Out of memory

static pthread_barrier_t memory_is_out, memory_was_out, memory_is_back;

static void *first_allocation_without_memory(void *unused) {
  pthread_barrier_wait(&memory_is_out);
  errno = 0;
  void *block = opaque(malloc(32 << 20));
  CHECK(!block && errno == ENOMEM, "a thread's first allocation: %p, errno %d", block, errno);
  // A small one may still be served, from memory that the process has.
  free(malloc(100));
  pthread_barrier_wait(&memory_was_out);
  pthread_barrier_wait(&memory_is_back);
  work(9, 5000);
  return unused;
}

void case_out_of_memory(void) {
  enum { blocks = 4096, size = 1 << 20 };
  static char *held[blocks];
  pthread_t thread;
  pthread_barrier_init(&memory_is_out, NULL, 2);
  pthread_barrier_init(&memory_was_out, NULL, 2);
  pthread_barrier_init(&memory_is_back, NULL, 2);
  CHECK(pthread_create(&thread, NULL, first_allocation_without_memory, NULL) == 0, "pthread_create");
  char *kept = malloc(1000);
  memset(kept, 3, 1000);
  size_t pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file && fscanf(file, "%zu", &pages) == 1, "statm");
  fclose(file);
  struct rlimit limit, low;
  getrlimit(RLIMIT_AS, &limit);
  low = limit;
  low.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + (256ul << 20);
  CHECK(setrlimit(RLIMIT_AS, &low) == 0, "setrlimit");
  for (int round = 0; round < 3; round++) {
    int count = 0;
    errno = 0;
    while (count < blocks && (held[count] = opaque(malloc(size)))) held[count++][0] = 1;
    CHECK(count > 10 && count < blocks && errno == ENOMEM, "%d blocks, errno %d", count, errno);
    errno = 0;
    CHECK(!opaque(calloc(1, 64 * size)) && errno == ENOMEM, "calloc, errno %d", errno);
    errno = 0;
    CHECK(!opaque(realloc(kept, 64 * size)) && errno == ENOMEM, "realloc, errno %d", errno);
    for (int index = 0; index < 1000; index++) CHECK(kept[index] == 3, "the block of a realloc that failed");
    void *untouched = kept;
    CHECK(posix_memalign(&untouched, 4096, 64 * size) == ENOMEM && untouched == kept, "posix_memalign");
    errno = 0;
    CHECK(!opaque(aligned_alloc(1 << 21, 64 * size)) && errno == ENOMEM, "aligned_alloc, errno %d", errno);
    // Small ones to the end, too.
    void *list = NULL;
    for (void **small; (small = malloc(64)); list = small) *small = list;
    while (list) {
      void *next = *(void **)list;
      free(list);
      list = next;
    }
    if (round == 0) {
      pthread_barrier_wait(&memory_is_out);
      pthread_barrier_wait(&memory_was_out);
    }
    while (count) free(held[--count]);
    if (round == 0) {
      // The thread is gone before memory runs out again.
      pthread_barrier_wait(&memory_is_back);
      pthread_join(thread, NULL);
    }
    work(5, 20000);
  }
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
  free(kept);
}

// MARK: Threads

static pthread_key_t keys[3];

// Runs in several rounds at the end of a thread, after everything else of the thread may be torn down.
static void destroy_value(void *value) {
  size_t rounds = *(size_t *)value;
  free(value);
  work(3, 30);
  if (rounds == 0) return;
  size_t *next = malloc(sizeof *next);
  *next = rounds - 1;
  pthread_setspecific(keys[rounds % 3], next);
}

static void *thread_with_values(void *unused) {
  for (int key = 0; key < 3; key++) {
    size_t *value = malloc(sizeof *value);
    *value = 2;
    pthread_setspecific(keys[key], value);
  }
  return unused;
}

// The first allocation of a thread is in a destructor, when the allocator has already had its turn.
static void *thread_with_late_start(void *value) {
  pthread_setspecific(keys[0], value);
  return NULL;
}

void case_thread_destructors(void) {
  for (int key = 0; key < 3; key++) CHECK(pthread_key_create(&keys[key], destroy_value) == 0, "key");
  size_t before = 0;
  for (int round = 0; round < rounds(3000); round++) {
    pthread_t threads[2];
    size_t *value = malloc(sizeof *value);
    *value = 2;
    CHECK(pthread_create(&threads[0], NULL, thread_with_values, NULL) == 0, "pthread_create");
    CHECK(pthread_create(&threads[1], NULL, thread_with_late_start, value) == 0, "pthread_create");
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    if (round == 500) before = resident_pages();
  }
  if (is_short()) return;
  size_t after = resident_pages();
  // Each thread loses its last value, as with any allocator: 40 pages in all. A page left behind by each of these 5,000
  // threads would be 5,000. What is at hand for new threads depends on how many were alive together, so on the load of the
  // machine.
  CHECK(after < before + 2048, "2500 rounds of threads have left %zu pages", after - before);
}

static _Atomic(void *) handed_over;

static void *short_thread(void *number) {
  work((unsigned)(uintptr_t)number, 100);
  void *mine = malloc(100 + (uintptr_t)number % 3000);
  memset(mine, 1, 100);
  // Each releases what another thread allocated.
  free(atomic_exchange(&handed_over, mine));
  return NULL;
}

// 10,000 threads, eight at a time.
void case_threads(void) {
  size_t before = 0;
  for (uintptr_t batch = 0; batch < (uintptr_t)rounds(1250); batch++) {
    pthread_t threads[8];
    for (uintptr_t index = 0; index < 8; index++)
      CHECK(pthread_create(&threads[index], NULL, short_thread, (void *)(batch * 8 + index)) == 0, "pthread_create");
    for (int index = 0; index < 8; index++) pthread_join(threads[index], NULL);
    if (batch == 250) before = resident_pages();
  }
  free(atomic_exchange(&handed_over, NULL));
  if (is_short()) return;
  size_t after = resident_pages();
  CHECK(after < before + 2048, "8000 threads have left %zu pages", after - before);
}

// MARK: Processes

static _Atomic bool stop;
static _Atomic long rounds_done;

static void *busy_thread(void *number) {
  for (unsigned seed = (unsigned)(uintptr_t)number; !atomic_load(&stop); seed++) {
    work(seed, 200);
    free(atomic_exchange(&handed_over, malloc(seed % 5000 + 1)));
    atomic_fetch_add(&rounds_done, 1);
  }
  return NULL;
}

static void start_busy_threads(pthread_t threads[4]) {
  atomic_store(&stop, false);
  for (uintptr_t index = 0; index < 4; index++)
    CHECK(pthread_create(&threads[index], NULL, busy_thread, (void *)index) == 0, "pthread_create");
}

static void stop_busy_threads(pthread_t threads[4]) {
  atomic_store(&stop, true);
  for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
}

static void expect_success(pid_t child) {
  int status = 0;
  CHECK(child > 0, "no child: %s", strerror(errno));
  CHECK(waitpid(child, &status, 0) == child, "waitpid");
  CHECK(status == 0, "the child ended with status %x", status);
}

void case_busy_fork(void) {
  pthread_t threads[4];
  start_busy_threads(threads);
  for (int round = 0; round < rounds(300); round++) {
    void *before = malloc(round * 10 + 1);
    pid_t child = fork();
    if (child == 0) {
      // A child that hangs is ended by a signal, and so does not count as well.
      alarm(60);
      free(before);
      work((unsigned)round, 300);
      if (round % 10 == 0) {
        // Threads of a forked child, and a child of a child.
        pthread_t thread;
        atomic_store(&stop, true);
        CHECK(pthread_create(&thread, NULL, short_thread, NULL) == 0, "pthread_create in the child");
        pthread_join(thread, NULL);
        pid_t grandchild = fork();
        if (grandchild == 0) {
          work(1, 100);
          _exit(0);
        }
        expect_success(grandchild);
      }
      _exit(0);
    }
    // The parent goes on at once.
    work((unsigned)round, 100);
    free(before);
    expect_success(child);
  }
  stop_busy_threads(threads);
}

static volatile sig_atomic_t handled;

static int forks_in_handler;

static void fork_in_handler(int number) {
  // Where a fork takes longer than the timer, nothing else would ever run.
  if (handled >= forks_in_handler) return;
  int saved = errno;
  pid_t child = fork();
  if (child == 0) _exit(0);
  int status = -1;
  if (child > 0) waitpid(child, &status, 0);
  if (status != 0) _exit(3);
  handled++;
  errno = saved;
}

// A single-threaded program that forks in a signal handler, which may have interrupted malloc.
void case_fork_in_handler(void) {
  struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
  forks_in_handler = rounds(300);
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  struct itimerspec interval = {{0, 1000000}, {0, 1000000}};
  CHECK(timer_settime(timer, 0, &interval, NULL) == 0, "timer_settime");
  while (handled < forks_in_handler) work(handled, 1000);
  timer_delete(timer);
}

extern char **environ;

void case_vfork(void) {
  pthread_t threads[4];
  start_busy_threads(threads);
  for (int round = 0; round < rounds(200); round++) {
    char *const arguments[] = {"true", NULL};
    pid_t child;
    if (round % 2) {
      child = vfork();
      if (child == 0) {
        execv("/bin/true", arguments);
        _exit(4);
      }
    } else {
      CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0, "posix_spawn");
    }
    work((unsigned)round, 100);
    expect_success(child);
  }
  stop_busy_threads(threads);
}

static void *allocated_before_exit;

static void at_exit(void) {
  free(allocated_before_exit);
  work(7, 1000);
  dprintf(1, "atexit\n");
}

__attribute__((destructor)) static void at_the_very_end(void) {
  work(8, 1000);
}

// Returns with handlers registered, and with threads that go on while the process exits.
void case_exit(void) {
  static pthread_t threads[4];
  allocated_before_exit = malloc(1000);
  CHECK(atexit(at_exit) == 0, "atexit");
  start_busy_threads(threads);
}

// MARK: Loading

static void *allocated_early;
static size_t early_usable_size;

// Before all constructors, those of libraries included.
static void run_before_constructors(int count, char **arguments, char **environment) {
  allocated_early = malloc(1000);
  memset(allocated_early, 5, 1000);
  free(malloc(10));
  allocated_early = realloc(allocated_early, 100000);
  early_usable_size = malloc_usable_size(allocated_early);
  free(aligned_alloc(4096, 4096));
}

__attribute__((section(".preinit_array"), used)) static void (*preinitializer)(int, char **, char **) =
    run_before_constructors;

void case_early(void) {
  CHECK(allocated_early && early_usable_size >= 100000, "usable: %zu", early_usable_size);
  for (int index = 0; index < 1000; index++) CHECK(((char *)allocated_early)[index] == 5, "byte %d", index);
  free(allocated_early);
  // dlsym, dlerror and the loader itself allocate.
  CHECK(!dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") && dlerror(), "dlerror");
  CHECK(!dlopen("/no/such/library.so", RTLD_NOW) && dlerror(), "dlerror");
}

// Opens and closes the library that the environment names, while threads are busy: its constructor allocates, its
// destructor releases, its thread-local storage is allocated by the loader.
void case_dlopen(void) {
  const char *path = getenv("GUEST_LIBRARY");
  CHECK(path, "GUEST_LIBRARY");
  pthread_t threads[4];
  start_busy_threads(threads);
  for (int round = 0; round < rounds(200); round++) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library, "%s", dlerror());
    void *(*give)(void) = dlsym(library, "guest_give");
    void (*take)(void *) = dlsym(library, "guest_take");
    CHECK(give && take, "symbols");
    void *block = give();
    take(malloc(100));
    CHECK(dlclose(library) == 0, "dlclose");
    CHECK(strcmp(block, "from the guest") == 0, "%s", (char *)block);
    free(block);
  }
  stop_busy_threads(threads);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Fork, whenever: parent and child allocate at once afterwards.

#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "work.h"

static atomic_bool stop;

static void *allocate_all_the_time(void *seed) {
  struct work work = {.seed = (size_t)seed};
  while (!stop) work_on(&work, 50);
  work_end(&work);
  return NULL;
}

enum { threads = 3 };
static pthread_t busy[threads];

static void start_threads(void *(*body)(void *)) {
  stop = false;
  for (size_t index = 0; index < threads; index++)
    CHECK(pthread_create(&busy[index], NULL, body, (void *)(index + 1)) == 0, "no thread");
}

static void end_threads(void) {
  stop = true;
  for (size_t index = 0; index < threads; index++) pthread_join(busy[index], NULL);
}

// What a child does: every kind of size, on a second thread, too.
static void *allocate_once(void *unused) {
  struct work work = {.seed = 77};
  work_on(&work, 300);
  work_end(&work);
  return unused;
}

static void be_a_child(void) {
  signal(SIGALRM, SIG_DFL);
  alarm(20);
  allocate_once(NULL);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, allocate_once, NULL) == 0, "no thread in the child");
  pthread_join(thread, NULL);
  _exit(0);
}

static _Thread_local int is_in_handler;

static void wait_for(pid_t child) {
  CHECK(child > 0, "%s", strerror(errno));
  int status;
  while (waitpid(child, &status, 0) < 0) {
    // A signal handler may have forked since: then it is somebody else's child.
    if (is_in_handler) be_a_child();
    CHECK(errno == EINTR, "%s", strerror(errno));
  }
  CHECK(status == 0, "the child ended with status %#x", status);
}

static void fork_often(int count) {
  struct work work = {.seed = 9};
  for (int index = 0; index < count; index++) {
    pid_t child = fork();
    if (child == 0) be_a_child();
    work_on(&work, 20);
    wait_for(child);
  }
  work_end(&work);
}

// MARK: Handlers of other libraries

static struct work handlers_work = {.seed = 5};
static atomic_int handler_calls;

static void allocate_in_handler(void) {
  handler_calls++;
  work_on(&handlers_work, 100);
}

// Before the allocator's own constructors, or after them: in whichever order the dynamic linker runs them.
__attribute__((constructor(101))) static void register_early(void) {
  if (getenv("FORK_HANDLERS")) pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
}
__attribute__((constructor)) static void register_late(void) {
  if (getenv("FORK_HANDLERS")) pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
}

// Fork handlers that allocate, registered early, late and by the program, beside threads that allocate. Wants FORK_HANDLERS in
// its environment.
void case_fork_handlers(void) {
  CHECK(getenv("FORK_HANDLERS") != NULL, "FORK_HANDLERS is not set");
  pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
  start_threads(allocate_all_the_time);
  int forks = rounds(60);
  fork_often(forks);
  end_threads();
  CHECK(handler_calls == forks * 2 * 3, "handlers were called %d times", handler_calls);
}

// MARK: The C library's streams

static char lines[] = "/tmp/fork-streams.XXXXXX";

static void *read_and_flush(void *which) {
  while (!stop) {
    if ((size_t)which == 1) {
      fflush(NULL);
      char *text;
      size_t size;
      FILE *stream = open_memstream(&text, &size);
      fprintf(stream, "%5000d", 1);
      fclose(stream);
      free(text);
    } else {
      // A line's buffer is allocated while its stream is locked.
      FILE *stream = fopen(lines, "r");
      CHECK(stream, "%s", strerror(errno));
      char *line = NULL;
      size_t size = 0;
      while (getline(&line, &size, stream) > 0) {}
      free(line);
      fclose(stream);
    }
  }
  return NULL;
}

// Fork takes the list of all streams, which one thread holds that waits for a stream of another, which allocates.
void case_fork_streams(void) {
  FILE *file = fdopen(mkstemp(lines), "w");
  for (int index = 0; index < 200; index++) fprintf(file, "%*d\n", index * 9973 % 300000 + 1, index);
  fclose(file);
  start_threads(read_and_flush);
  fork_often(rounds(150));
  end_threads();
  unlink(lines);
}

// MARK: Signal handlers

static atomic_int forks_in_handlers;
static pid_t first_process;

// Forks in whatever it interrupts. The child goes on with that, and ends at its next look.
static void fork_in_handler(int signal) {
  (void)signal;
  if (getpid() != first_process) return;
  int error = errno;
  pid_t child = fork();
  if (child == 0) {
    is_in_handler = 1;
    return;
  }
  forks_in_handlers++;
  if (child > 0) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (status != 0) {
      dprintf(2, "a child of a signal handler ended with status %#x\n", status);
      _exit(1);
    }
  }
  errno = error;
}

static void end_if_child_of_handler(struct work *work) {
  if (!is_in_handler) return;
  signal(SIGALRM, SIG_DFL);
  alarm(20);
  work_on(work, 100);
  work_end(work);
  be_a_child();
}

static void fork_in_handlers(int with_forks) {
  first_process = getpid();
  struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct work work = {.seed = 21};
  int forks = rounds(60);
  for (int index = 0; forks_in_handlers < forks; index++) {
    struct itimerval once = {{0, 0}, {0, 20 + index * 7919 % 1500}};
    setitimer(ITIMER_REAL, &once, NULL);
    work_on(&work, 10);
    end_if_child_of_handler(&work);
    if (!with_forks) continue;
    pid_t child = fork();
    // The signal may have come in fork itself, on either side.
    if (child == 0 && getpid() != first_process && !is_in_handler) be_a_child();
    end_if_child_of_handler(&work);
    if (child > 0) wait_for(child);
  }
  signal(SIGALRM, SIG_IGN);
  work_end(&work);
}

// Fork in a signal handler that has interrupted malloc, free or fork, in a process of one thread.
void case_fork_in_fork(void) { fork_in_handlers(1); }

// In malloc and free beside other threads, which leave the signal to this one: they are born with it blocked. (Not in fork: glibc's
// own fork may hang then, in a process with threads.)
void case_fork_in_malloc_with_threads(void) {
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  start_threads(allocate_all_the_time);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  fork_in_handlers(0);
  end_threads();
}

// MARK: Past the C library

// A child made by the system call alone: no handler of fork runs.
void case_plain_fork(void) {
  start_threads(allocate_all_the_time);
  for (int index = 0; index < rounds(100); index++) {
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
      alarm(20);
      allocate_once(NULL);
      _exit(0);
    }
    wait_for(child);
  }
  end_threads();
}

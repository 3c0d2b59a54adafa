// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Runs one program and tells what it cost: a program of its own, because it has to be small.
//
// The kernel carries a process's peak RSS over an exec: what execs inherits the peak of what forked it. A program started
// straight from a benchmark that has grown to 200 MiB therefore reports at least 200 MiB. This launcher stays at about
// 1 MiB, forks, and so gives the program a peak of its own.
//
//     benchmark-launcher RESULT_FD TIMEOUT_MS [NAME=VALUE...] -- PROGRAM [ARGUMENT...]
//
// PROGRAM is a path. The variables are added to its environment: those of the dynamic linker have to come this way, or
// they would work on the launcher as well. It runs in a process group of its own with the launcher's standard streams.
// When it runs, one line is written to RESULT_FD:
//
//     started PID
//
// When it ends, all that descends from it is killed, whatever group or session that is in, and another line is written:
//
//     exited CODE | signaled SIGNAL | timeout 0 | unstartable ERRNO
//
// followed by wall-clock, user and system nanoseconds, peak RSS in KiB, minor and major faults, voluntary and involuntary
// context switches. All but the wall clock are the sums (the peak: the maximum) over the program and its descendants.
// TIMEOUT_MS of 0 is no limit. When nobody can read RESULT_FD any more, the starter is gone, and all is killed.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long timeval_ns(struct timeval t) { return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL; }

// Interrupts of the terminal are for the starter, whose end this program notices. A handler, unlike SIG_IGN, is not
// inherited through exec.
static void ignore(int signal) { (void)signal; }

// Returns the errno of a failed exec, 0 when the program runs.
static int start(char **argv, pid_t *pid) {
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) return errno;
  *pid = fork();
  if (*pid < 0) return errno;
  if (*pid == 0) {
    setpgid(0, 0);
    execv(argv[0], argv);
    int error = errno;
    (void)!write(failure[1], &error, sizeof error);
    _exit(127);
  }
  setpgid(*pid, *pid);
  close(failure[1]);
  int error = 0;
  ssize_t count;
  do count = read(failure[0], &error, sizeof error);
  while (count < 0 && errno == EINTR);
  close(failure[0]);
  return error;
}

// Waits until the program ends (1), the time is up (0) or the reader of the result is gone (-1).
static int wait_for(int program, int result, long long deadline_ns) {
  struct pollfd files[2] = {{.fd = program, .events = POLLIN}, {.fd = result, .events = 0}};
  for (;;) {
    int timeout_ms = -1;
    if (deadline_ns != 0) {
      long long left_ns = deadline_ns - now_ns();
      if (left_ns <= 0) return 0;
      timeout_ms = (int)(left_ns / 1000000) + 1;
    }
    if (poll(files, 2, timeout_ms) <= 0) continue;
    if (files[0].revents != 0) return 1;
    if (files[1].revents & (POLLERR | POLLHUP | POLLNVAL)) return -1;
  }
}

// Kills and reaps all that descends from this process. What lost its parent has become a child of this process, which is
// a subreaper (prctl(2)); so the children's children come up once the children are gone.
static void kill_descendants(pid_t group) {
  kill(-group, SIGKILL);
  for (;;) {
    FILE *children = fopen("/proc/thread-self/children", "re");
    if (children != NULL) {
      int child;
      while (fscanf(children, "%d", &child) == 1) kill(child, SIGKILL);
      fclose(children);
    }
    if (waitpid(-1, NULL, children != NULL ? 0 : WNOHANG) <= 0 && errno != EINTR) return;
  }
}

int main(int argc, char **argv) {
  int program_at = 3;
  while (program_at < argc && strcmp(argv[program_at], "--") != 0) putenv(argv[program_at++]);
  if (++program_at >= argc) {
    fputs("usage: benchmark-launcher RESULT_FD TIMEOUT_MS [NAME=VALUE...] -- PROGRAM [ARGUMENT...]\n", stderr);
    return 64;
  }
  int result = atoi(argv[1]);
  long long timeout_ms = atoll(argv[2]);
  fcntl(result, F_SETFD, FD_CLOEXEC);
  signal(SIGINT, ignore);
  signal(SIGTERM, ignore);
  signal(SIGHUP, ignore);
  signal(SIGPIPE, ignore);

  prctl(PR_SET_CHILD_SUBREAPER, 1);

  long long begin_ns = now_ns();
  pid_t pid = 0;
  int error = start(argv + program_at, &pid);
  if (error != 0) {
    if (pid > 0) waitpid(pid, NULL, 0);
    dprintf(result, "unstartable %d 0 0 0 0 0 0 0 0\n", error);
    return 0;
  }
  int program = (int)syscall(SYS_pidfd_open, pid, 0);
  if (program < 0) {
    error = errno;
    kill(-pid, SIGKILL);
    dprintf(result, "unstartable %d 0 0 0 0 0 0 0 0\n", error);
    return 0;
  }
  dprintf(result, "started %d\n", pid);
  int ended = wait_for(program, result, timeout_ms > 0 ? begin_ns + timeout_ms * 1000000LL : 0);
  long long end_ns = now_ns();
  if (ended != 1) kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  kill_descendants(pid);
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  const char *how = ended != 1 ? "timeout" : WIFEXITED(status) ? "exited" : "signaled";
  int number = ended != 1 ? 0 : WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  dprintf(result, "%s %d %lld %lld %lld %ld %ld %ld %ld %ld\n", how, number, end_ns - begin_ns,
          timeval_ns(used.ru_utime), timeval_ns(used.ru_stime), used.ru_maxrss, used.ru_minflt, used.ru_majflt,
          used.ru_nvcsw, used.ru_nivcsw);
  return 0;
}

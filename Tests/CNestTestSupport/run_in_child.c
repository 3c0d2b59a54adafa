// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CNestTestSupport.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int run_in_child(void (*body)(void), char *output, size_t capacity, int seconds) {
  int ends[2];
  if (pipe(ends) != 0) return -1000;
  pid_t child = fork();
  if (child < 0) return -1000;
  if (child == 0) {
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    // What a test runner has installed to print a trace.
    const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    body();
    _exit(0);
  }
  close(ends[1]);
  time_t deadline = time(NULL) + seconds;
  size_t length = 0;
  while (1) {
    struct pollfd poll_end = {.fd = ends[0], .events = POLLIN};
    if (poll(&poll_end, 1, 100) > 0) {
      char rest[512];
      ssize_t count = read(ends[0], rest, sizeof rest);
      if (count <= 0) break;
      for (ssize_t i = 0; i < count && length + 1 < capacity; i++) output[length++] = rest[i];
    } else if (time(NULL) > deadline) {
      kill(child, SIGKILL);
      break;
    }
  }
  output[length] = 0;
  close(ends[0]);
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

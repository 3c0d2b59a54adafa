// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CNestTestSupport.h"

static volatile sig_atomic_t forks_left;

static void fork_once(int signal) {
  (void)signal;
  if (forks_left == 0) return;
  pid_t child = fork();
  if (child == 0) _exit(0);
  int status;
  waitpid(child, &status, 0);
  forks_left--;
}

void fork_in_signal_handlers(void (*body)(void), int count) {
  forks_left = count;
  signal(SIGALRM, fork_once);
  const struct itimerval each_millisecond = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &each_millisecond, NULL);
  while (forks_left > 0) body();
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CAllocatorInsight.h"

// In C, because these run after fork and at exit, where Swift's lazily made globals are no good.
static int listener = -1;
static pid_t owner;
static char path[128];

static void close_in_child(void) {
  int descriptor = __atomic_exchange_n(&listener, -1, __ATOMIC_ACQ_REL);
  if (descriptor >= 0) close(descriptor);
}

static void remove_at_exit(void) {
  if (__atomic_load_n(&listener, __ATOMIC_ACQUIRE) >= 0 && getpid() == owner) unlink(path);
}

int insight_set_listener(int descriptor, const char *socket_path) {
  static int is_registered;
  if (!__atomic_exchange_n(&is_registered, 1, __ATOMIC_ACQ_REL)) {
    pthread_atfork(NULL, NULL, close_in_child);
    atexit(remove_at_exit);
  }
  int before = __atomic_exchange_n(&listener, -1, __ATOMIC_ACQ_REL);
  if (socket_path) {
    strncpy(path, socket_path, sizeof path - 1);
    owner = getpid();
    __atomic_store_n(&listener, descriptor, __ATOMIC_RELEASE);
  }
  return before;
}

void insight_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

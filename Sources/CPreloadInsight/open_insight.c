// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library for LD_PRELOAD holds nothing of Swift's runtime, which answering questions about memory needs. So the answers are a
// library of their own beside it, which is opened if the environment asks for it, and costs nobody else anything but a look there.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char library[] = "libInsightPreload.so";

static void complain(const char *reason) {
  dprintf(STDERR_FILENO, "swift-allocators: nobody can ask process %d about its memory: %s\n", (int)getpid(), reason);
}

__attribute__((noinline)) static void open_insight(void) {
  static const char here;
  Dl_info info;
  char path[PATH_MAX];
  const char *slash = dladdr(&here, &info) && info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
  size_t length = slash ? (size_t)(slash + 1 - info.dli_fname) : 0;
  if (length + sizeof library > sizeof path) return complain("the path of this library is too long");
  if (length) memcpy(path, info.dli_fname, length);
  memcpy(path + length, library, sizeof library);
  // Found already where it is named in LD_PRELOAD, too.
  if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) complain(dlerror());
}

// Not in a program with more rights than its user has: secure_getenv(3).
__attribute__((constructor)) static void open_if_wanted(void) {
  const char *wanted = secure_getenv("ALLOCATORS_INSIGHT");
  if (wanted && strcmp(wanted, "1") == 0) open_insight();
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Writes to a word of the library that gives it malloc: `read_only_state OFFSET [fork]`, with what the library's symbol table says of the word, in
// hexadecimal. Says "read" when it has been read, as it must be, and "written" when it has been written as well. With `fork`, a child does.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv) {
  Dl_info library;
  if (argc < 2 || !dladdr(dlsym(RTLD_DEFAULT, "malloc"), &library)) return 2;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  for (int i = 0; i < 1000; i++) free(malloc(i));
  if (argc > 2) {
    int status;
    pid_t child = fork();
    if (child > 0) {
      if (waitpid(child, &status, 0) != child) return 2;
      if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
      }
      return WEXITSTATUS(status);
    }
    for (int i = 0; i < 1000; i++) free(malloc(i));
  }
  volatile char *word = (char *)library.dli_fbase + strtoul(argv[1], NULL, 16);
  char value = *word;
  puts("read");
  fflush(stdout);
  *word = value;
  puts("written");
  return 0;
}

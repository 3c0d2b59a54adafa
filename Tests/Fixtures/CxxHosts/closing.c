// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Opens a library that holds an allocator, has threads work with it, and closes it while they still run: closing LIBRARY FUNCTION, where
// FUNCTION returns 0, or is malloc. Afterwards the threads end, the process forks, and everything is done once more.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { thread_count = 8 };

static void *function, *release;
static pthread_barrier_t has_worked, is_closed;

static int work(void) {
  if (!release) return ((int (*)(void))function)();
  for (size_t size = 1; size < 4000000; size = size * 2 + 1) {
    void *block = ((void *(*)(size_t))function)(size);
    if (!block) return 1;
    memset(block, 1, size);
    ((void (*)(void *))release)(block);
  }
  return 0;
}

static void *thread(void *unused) {
  (void)unused;
  long failed = work();
  pthread_barrier_wait(&has_worked);
  pthread_barrier_wait(&is_closed);
  return (void *)failed;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  pthread_barrier_init(&has_worked, NULL, thread_count + 1);
  pthread_barrier_init(&is_closed, NULL, thread_count + 1);
  for (int round = 0; round < 3; round++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      fprintf(stderr, "%s\n", dlerror());
      return 2;
    }
    function = dlsym(library, argv[2]);
    release = strcmp(argv[2], "malloc") == 0 ? dlsym(library, "free") : NULL;
    pthread_t threads[thread_count];
    if (!function || work() != 0) return 3;
    for (int index = 0; index < thread_count; index++)
      if (pthread_create(&threads[index], NULL, thread, NULL) != 0) return 2;
    pthread_barrier_wait(&has_worked);
    if (dlclose(library) != 0) return 4;
    pthread_barrier_wait(&is_closed);
    for (int index = 0; index < thread_count; index++) {
      void *failed;
      pthread_join(threads[index], &failed);
      if (failed) return 5;
    }
    pid_t child = fork();
    if (child == 0) _exit(malloc(100) ? 0 : 1);
    int status = 1;
    if (waitpid(child, &status, 0) != child || status != 0) return 6;
  }
  puts("closed");
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Opens the library that is named, long after the program has started, and allocates with its malloc beside the program's
// own, on two threads. Exits with 0 when all of that works.

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *(*Malloc)(size_t);
typedef void (*Free)(void *);

static Malloc other_malloc;
static Free other_free;

static void *use(void *unused) {
  for (size_t size = 1; size < 4000000; size = size * 3 / 2 + 1) {
    char *theirs = other_malloc(size), *own = malloc(size);
    if (theirs == NULL || own == NULL || theirs == own) return "no memory";
    memset(theirs, 1, size);
    memset(own, 2, size);
    if (theirs[0] != 1 || theirs[size - 1] != 1) return "the blocks overlap";
    other_free(theirs);
    free(own);
  }
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  void *before = malloc(100);
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  other_malloc = (Malloc)dlsym(library, "malloc");
  other_free = (Free)dlsym(library, "free");
  if (other_malloc == NULL || other_free == NULL || other_malloc == malloc) {
    fputs("the library has no malloc of its own\n", stderr);
    return 1;
  }
  const char *failure = use(NULL);
  pthread_t thread;
  void *failure_in_thread = NULL;
  if (pthread_create(&thread, NULL, use, NULL) != 0 || pthread_join(thread, &failure_in_thread) != 0) return 1;
  if (failure == NULL) failure = failure_in_thread;
  if (failure != NULL) fprintf(stderr, "%s\n", failure);
  free(before);
  return failure != NULL;
}

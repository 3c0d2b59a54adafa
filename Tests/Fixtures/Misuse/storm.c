// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Threads that each release a block twice, all at the same time.

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { count = 16 };
static int arrivals;

static void *release_twice(void *unused) {
  void *block = malloc(100);
  free(block);
  __atomic_add_fetch(&arrivals, 1, __ATOMIC_SEQ_CST);
  for (long spins = 0; __atomic_load_n(&arrivals, __ATOMIC_SEQ_CST) < count && spins < 100000000; spins++) {}
  free(block);
  return unused;
}

int main(void) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(20);
  pthread_t threads[count];
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, release_twice, NULL) != 0) return 3;
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  return 0;
}

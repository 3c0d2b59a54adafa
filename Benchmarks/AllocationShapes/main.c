// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Runs one shape of allocation: a program to be measured under different allocators.
//
//     AllocationShapes SHAPE [--threads N] [--seed N] [--scale X]
//     AllocationShapes --list
//
// prints two lines: the file that malloc is from; and what is the same for the same settings, the sum of the tags of all
// blocks, each of which was written when a block was allocated and read when it was released.

#define _GNU_SOURCE
#include "shape.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *name;
  shape_function *function;
} shapes[] = {
    {"small", shape_small},       {"solver", shape_solver},     {"simple", shape_simple},
    {"calloc", shape_calloc},     {"realloc", shape_realloc},   {"phases", shape_phases},
    {"large", shape_large},       {"aligned", shape_aligned},   {"pareto", shape_pareto},
    {"server", shape_server},     {"producer", shape_producer}, {"exchange", shape_exchange},
    {"churn", shape_churn},       {"sharing", shape_sharing},   {"relay", shape_relay},
    {"mixture", shape_mixture},
};
static const size_t shape_count = sizeof shapes / sizeof *shapes;

void shape_fail(const char *reason) {
  fprintf(stderr, "AllocationShapes: %s\n", reason);
  _exit(70);
}

uint64_t run_workers(const struct settings *settings, int count, void *(*body)(void *), void *context) {
  pthread_t threads[count];
  struct worker workers[count];
  for (int i = 0; i < count; i++) {
    workers[i] = (struct worker){.settings = settings, .number = i, .context = context};
    if (pthread_create(&threads[i], NULL, body, &workers[i]) != 0) shape_fail("no thread could be created");
  }
  uint64_t sum = 0;
  for (int i = 0; i < count; i++) {
    pthread_join(threads[i], NULL);
    sum += workers[i].sum;
  }
  return sum;
}

static const char *file_of_malloc(void) {
  Dl_info info;
  return dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) != 0 ? info.dli_fname : "unknown";
}

static _Noreturn void usage(void) {
  fputs("usage: AllocationShapes SHAPE [--threads N] [--seed N] [--scale X]\n"
        "       AllocationShapes --list\n",
        stderr);
  exit(64);
}

int main(int argc, char **argv) {
  if (argc < 2) usage();
  if (strcmp(argv[1], "--list") == 0) {
    for (size_t i = 0; i < shape_count; i++) puts(shapes[i].name);
    return 0;
  }
  struct settings settings = {.seed = 1, .threads = (int)sysconf(_SC_NPROCESSORS_ONLN), .scale = 1};
  for (int i = 2; i < argc; i += 2) {
    if (i + 1 == argc) usage();
    char *end;
    double number = strtod(argv[i + 1], &end);
    if (*end != 0 || number <= 0) usage();
    if (strcmp(argv[i], "--threads") == 0) settings.threads = (int)number;
    else if (strcmp(argv[i], "--seed") == 0) settings.seed = (uint64_t)number;
    else if (strcmp(argv[i], "--scale") == 0) settings.scale = number;
    else usage();
  }
  if (settings.threads < 2) settings.threads = 2;
  if (settings.threads > 1024) settings.threads = 1024;
  for (size_t i = 0; i < shape_count; i++) {
    if (strcmp(argv[1], shapes[i].name) == 0) {
      uint64_t sum = shapes[i].function(&settings);
      printf("malloc %s\nchecksum %016llx\n", file_of_malloc(), (unsigned long long)sum);
      return 0;
    }
  }
  usage();
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A program that hardly allocates: prints the KiB of private memory that it could write to, which a system that does not
// overcommit charges it for, and those that mlockall(2) locks.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static long private_writable(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  long total = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end;
    char permissions[5];
    if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) != 3) continue;
    if (permissions[1] == 'w' && permissions[3] == 'p' && !strstr(line, "[stack]")) total += (long)(end - start);
  }
  fclose(maps);
  return total / 1024;
}

static long locked(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  long total = -1;
  while (fgets(line, sizeof line, status)) sscanf(line, "VmLck: %ld", &total);
  fclose(status);
  return total;
}

int main(void) {
  char *volatile block = malloc(100);
  block[0] = 1;
  printf("writable %ld\n", private_writable());
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
    free(malloc(1000));
    printf("locked %ld\n", locked());
  }
  free(block);
  return 0;
}

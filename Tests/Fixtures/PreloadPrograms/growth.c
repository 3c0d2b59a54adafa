// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Says by how many KiB the address space has grown for 600 KiB in small blocks.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long pages(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long size = -1;
  if (!file || fscanf(file, "%ld", &size) != 1) exit(1);
  fclose(file);
  return size;
}

int main(void) {
  free(malloc(100));
  long before = pages();
  for (int i = 0; i < 6000; i++)
    if (!malloc(100)) return 1;
  printf("%ld\n", (pages() - before) * sysconf(_SC_PAGESIZE) / 1024);
}

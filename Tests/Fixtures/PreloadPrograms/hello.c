// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Says hello, and then what /proc/self/smaps_rollup says of its memory: page by page, where the peak of getrusage(2) is counted
// in batches of 128 KiB for each processor.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  puts("hello");
  fflush(stdout);
  static char text[4096];
  int file = open("/proc/self/smaps_rollup", O_RDONLY);
  ssize_t length = read(file, text, sizeof text);
  return length <= 0 || write(STDOUT_FILENO, text, (size_t)length) != length;
}

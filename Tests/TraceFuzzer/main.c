// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A program that fuzzes the reader of traces, built by
//
//     swift build -c release --sanitize=fuzzer --scratch-path .build-fuzzer --product trace-fuzzer
//
// libFuzzer then brings `main`. In every other build this one stands in, and runs the inputs in the files that are named.

#include <stdint.h>
#include <stdio.h>

void fuzz_trace(const uint8_t *data, long size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_trace(data, (long)size);
  return 0;
}

__attribute__((weak)) int main(int argc, char **argv) {
  static uint8_t input[1 << 20];
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "rb");
    if (file == NULL) {
      perror(argv[i]);
      return 1;
    }
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    LLVMFuzzerTestOneInput(input, size);
    printf("%s: %zu bytes, nothing found\n", argv[i], size);
  }
  return 0;
}

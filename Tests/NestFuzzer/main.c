// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A program that fuzzes NestAllocator, built by
//
//     swift build -c release --sanitize=fuzzer --scratch-path .build-fuzzer --product nest-fuzzer
//
// libFuzzer then brings `main`. In every other build this one stands in, and runs the inputs in the files that are named:
// what the fuzzer has found can so be looked at in a debug build.

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

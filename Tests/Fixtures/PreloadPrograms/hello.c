// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include <stdio.h>

int main(void) {
  puts("hello");
  return 0;
}

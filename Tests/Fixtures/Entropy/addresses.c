// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Where blocks are, one line for each size: the size, the first block's address, and by how much the second one's differs. A run tells
// nothing; many of them, how much chance there is in it.

#include <stdio.h>
#include <stdlib.h>

enum { count = 15 };

int main(void) {
  static const size_t sizes[count] = {16, 48, 100, 200, 400, 1000, 2000, 4000, 6000, 7000, 8000, 18000, 30000, 100000, 2000000};
  static char *blocks[count][2];
  for (int i = 0; i < count; i++)
    for (int k = 0; k < 2; k++) blocks[i][k] = malloc(sizes[i]);
  for (int i = 0; i < count; i++) printf("%zu %p %td\n", sizes[i], (void *)blocks[i][0], blocks[i][1] - blocks[i][0]);
  return 0;
}

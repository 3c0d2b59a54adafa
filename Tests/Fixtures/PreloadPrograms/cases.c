// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The cases as a program of their own, for malloc as LD_PRELOAD sets it.

#include "CCases.h"

int main(int count, char **arguments) {
  for (int index = 1; index < count; index++) run_case(arguments[index]);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CGuest.h"

#include <stdlib.h>
#include <string.h>

static void *held;
static _Thread_local char buffer[2000];

__attribute__((constructor)) static void start(void) {
  held = malloc(3000);
}

__attribute__((destructor)) static void end(void) {
  free(held);
}

void *guest_give(void) {
  strcpy(buffer, "from the guest");
  return strdup(buffer);
}

void guest_take(void *block) {
  free(block);
}

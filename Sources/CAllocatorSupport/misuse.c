// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "CAllocatorSupport.h"

// "0x" and 16 hexadecimal digits.
#define POINTER_DIGITS (2 + 2 * sizeof(uintptr_t))

static void format_pointer(char text[POINTER_DIGITS], const void *pointer) {
  uintptr_t bits = (uintptr_t)pointer;
  text[0] = '0';
  text[1] = 'x';
  for (size_t index = POINTER_DIGITS; index-- > 2; bits >>= 4) text[index] = "0123456789abcdef"[bits & 15];
}

static struct iovec part(const char *text) {
  return (struct iovec){.iov_base = (void *)text, .iov_len = strlen(text)};
}

void allocator_stop(const char *function, const void *pointer, const char *cause) {
  char digits[POINTER_DIGITS];
  format_pointer(digits, pointer);
  struct iovec line[] = {
      part("swift-allocators: "), part(function), part("("), {.iov_base = digits, .iov_len = POINTER_DIGITS}, part("): "),
      part(cause), part("\n"),
  };
  // Nothing can be done about a message that cannot be written.
  ssize_t written = writev(2, line, sizeof line / sizeof line[0]);
  (void)written;
  abort();
}

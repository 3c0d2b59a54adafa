// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Calls the exported symbols as a C program does that links a dynamic library whose manifest chose an allocator.

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void *__rust_allocate(uintptr_t size, uintptr_t align);
void __rust_deallocate(void *pointer, uintptr_t old_size, uintptr_t align);
void *__rust_reallocate(void *pointer, uintptr_t old_size, uintptr_t size, uintptr_t align);
uintptr_t __rust_reallocate_inplace(void *pointer, uintptr_t old_size, uintptr_t size, uintptr_t align);
uintptr_t __rust_usable_size(uintptr_t size, uintptr_t align);
const char *__swift_allocator_name(void);

int main(void) {
  char *block = __rust_allocate(1000, 64);
  assert(block != NULL && (uintptr_t)block % 64 == 0);
  uintptr_t usable = __rust_usable_size(1000, 64);
  assert(usable >= 1000);
  memset(block, 'a', usable);

  assert(__rust_reallocate_inplace(block, 1000, usable, 64) >= usable);
  assert(__rust_reallocate_inplace(block, usable, UINTPTR_MAX / 4, 64) == usable);

  char *grown = __rust_reallocate(block, usable, 100000, 64);
  assert(grown != NULL && (uintptr_t)grown % 64 == 0);
  for (uintptr_t i = 0; i < usable; i++) assert(grown[i] == 'a');

  // Bad input: a size above Int.max, and alignments that are not powers of two.
  assert(__rust_allocate(SIZE_MAX, 16) == NULL);
  assert(__rust_allocate((uintptr_t)INTPTR_MAX + 1, 1) == NULL);
  assert(__rust_allocate(16, 0) == NULL);
  assert(__rust_allocate(16, 48) == NULL);
  assert(__rust_reallocate(grown, 100000, SIZE_MAX, 64) == NULL);
  assert(grown[0] == 'a');
  __rust_deallocate(grown, 100000, 64);

  void *empty = __rust_allocate(0, 1), *other = __rust_allocate(0, 1);
  assert(empty != NULL && other != NULL && empty != other);
  __rust_deallocate(empty, 0, 1);
  __rust_deallocate(other, 0, 1);

  puts(__swift_allocator_name());
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Calls the exported symbols as a C program does that links a dynamic library whose manifest chose an allocator.

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

void *__rust_allocate(uintptr_t size, uintptr_t align);
void __rust_deallocate(void *pointer, uintptr_t old_size, uintptr_t align);
void *__rust_reallocate(void *pointer, uintptr_t old_size, uintptr_t size, uintptr_t align);
uintptr_t __rust_reallocate_inplace(void *pointer, uintptr_t old_size, uintptr_t size, uintptr_t align);
uintptr_t __rust_usable_size(uintptr_t size, uintptr_t align);
const char *__swift_allocator_name(void);
int __swift_release_free_memory(void);

// Takes blocks of a size until there are no more. They are linked through themselves.
static void **exhaust(uintptr_t size, uintptr_t align) {
  void **last = NULL;
  for (void **block; (block = __rust_allocate(size, align)) != NULL; last = block) {
    assert((uintptr_t)block % align == 0);
    *block = last;
  }
  return last;
}

static void release(void **last, uintptr_t size, uintptr_t align) {
  while (last != NULL) {
    void **block = last;
    last = *block;
    __rust_deallocate(block, size, align);
  }
}

// Under a limit of the address space: from the largest blocks to the smallest, until nothing is left; a block that cannot
// be resized then is as it was; and everything works again after the release. Twice, as what was released has to serve.
static void exhaust_memory(void) {
  struct rlimit limit = {1 << 30, 1 << 30};
  assert(setrlimit(RLIMIT_AS, &limit) == 0);
  static const uintptr_t sizes[] = {16 << 20, 1 << 20, 5000, 300, 16};
  enum { count = sizeof sizes / sizeof sizes[0] };
  for (int round = 0; round < 2; round++) {
    char *kept = __rust_allocate(4096, 64);
    assert(kept != NULL);
    memset(kept, 'k', 4096);
    void **blocks[count];
    for (int index = 0; index < count; index++) blocks[index] = exhaust(sizes[index], 8);
    assert(blocks[0] != NULL);
    assert(__rust_reallocate(kept, 4096, 64 << 20, 64) == NULL);
    assert(__rust_allocate(1 << 20, 1 << 20) == NULL);
    for (int index = 0; index < 4096; index++) assert(kept[index] == 'k');
    for (int index = 0; index < count; index++) release(blocks[index], sizes[index], 8);
    kept = __rust_reallocate(kept, 4096, 64 << 20, 64);
    assert(kept != NULL && kept[0] == 'k' && kept[4095] == 'k');
    __rust_deallocate(kept, 64 << 20, 64);
  }
}

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

  exhaust_memory();

  assert(__swift_release_free_memory() == 1);
  puts(__swift_allocator_name());
  return 0;
}

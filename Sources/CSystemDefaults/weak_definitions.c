// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The exported symbols of an artifact in which nobody chose an allocator. Swift cannot define a weak symbol, so each is a
// jump to the function of the Swift target `SystemDefaults`. A `Global…` product's strong definition takes its place.

#include <stddef.h>

#define WEAK __attribute__((weak))

void *__swift_default_allocate(size_t size, size_t align);
void __swift_default_deallocate(void *pointer, size_t old_size, size_t align);
void *__swift_default_reallocate(void *pointer, size_t old_size, size_t size, size_t align);
size_t __swift_default_reallocate_inplace(void *pointer, size_t old_size, size_t size, size_t align);
size_t __swift_default_usable_size(size_t size, size_t align);
const char *__swift_default_name(void);
const char *__swift_default_library_symbol(void);
int __swift_default_release_free_memory(void);
struct allocator_statistics;
struct allocator_size_class;
int __swift_default_statistics(struct allocator_statistics *statistics, size_t size);
size_t __swift_default_size_classes(struct allocator_size_class *classes, size_t capacity);

struct allocator_walk;
struct allocator_block;

WEAK void *__rust_allocate(size_t size, size_t align) {
  return __swift_default_allocate(size, align);
}

WEAK void __rust_deallocate(void *pointer, size_t old_size, size_t align) {
  __swift_default_deallocate(pointer, old_size, align);
}

WEAK void *__rust_reallocate(void *pointer, size_t old_size, size_t size, size_t align) {
  return __swift_default_reallocate(pointer, old_size, size, align);
}

WEAK size_t __rust_reallocate_inplace(void *pointer, size_t old_size, size_t size, size_t align) {
  return __swift_default_reallocate_inplace(pointer, old_size, size, align);
}

WEAK size_t __rust_usable_size(size_t size, size_t align) {
  return __swift_default_usable_size(size, align);
}

WEAK const char *__swift_allocator_name(void) {
  return __swift_default_name();
}

WEAK const char *__swift_allocator_library_symbol(void) {
  return __swift_default_library_symbol();
}

WEAK int __swift_release_free_memory(void) {
  return __swift_default_release_free_memory();
}

WEAK int __swift_allocator_statistics(struct allocator_statistics *statistics, size_t size) {
  return __swift_default_statistics(statistics, size);
}

WEAK size_t __swift_allocator_size_classes(struct allocator_size_class *classes, size_t capacity) {
  return __swift_default_size_classes(classes, capacity);
}

// glibc cannot walk over its blocks.
WEAK long __swift_allocator_walk_blocks(struct allocator_walk *walk, struct allocator_block *blocks, size_t capacity) {
  (void)walk, (void)blocks, (void)capacity;
  return -1;
}

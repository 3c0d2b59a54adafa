// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What misuse.c is, for the operators of C++. Kinds:
//
//     size        operator delete with a size that the block does not have
//     mismatch    a block released by another function than the one that goes with how it was allocated

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
  const char *name;
  size_t bytes;
} sizes[] = {{"small", 40}, {"medium", 3000}, {"large", 200000}, {"huge", 8000000}};

static void *misused(void *p) {
  char line[32];
  int length = snprintf(line, sizeof line, "%p\n", p);
  if (write(STDOUT_FILENO, line, length) != length) exit(3);
  return p;
}

static void *filled(void *p, size_t size) { return memset(p, 'x', size); }

static const struct {
  const char *name, *kind;
  void (*body)(size_t size);
} cases[] = {
    {"sized-delete-one-less", "size", [](size_t n) { operator delete(misused(filled(operator new(n), n)), n - 1); }},
    {"sized-delete-one-more", "size", [](size_t n) { operator delete(misused(filled(operator new(n), n)), n + 1); }},
    {"sized-delete-half", "size", [](size_t n) { operator delete(misused(filled(operator new(n), n)), n / 2); }},
    {"sized-delete-double", "size", [](size_t n) { operator delete(misused(filled(operator new(n), n)), n * 2); }},
    {"sized-array-delete-half", "size", [](size_t n) { operator delete[](misused(filled(operator new[](n), n)), n / 2); }},
    {"sized-aligned-delete-double", "size",
     [](size_t n) {
       auto align = std::align_val_t{64};
       operator delete(misused(filled(operator new(n, align), n)), n * 2, align);
     }},
    {"free-of-new", "mismatch", [](size_t n) { free(misused(filled(operator new(n), n))); }},
    {"delete-of-malloc", "mismatch", [](size_t n) { operator delete(misused(filled(malloc(n), n))); }},
    {"delete-of-array", "mismatch", [](size_t n) { operator delete(misused(filled(operator new[](n), n))); }},
    {"array-delete-of-scalar", "mismatch", [](size_t n) { operator delete[](misused(filled(operator new(n), n))); }},
};

int main(int argc, char **argv) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (auto &c : cases)
    for (auto &size : sizes) {
      char name[96];
      snprintf(name, sizeof name, "%s-%s", c.name, size.name);
      if (argc < 2) printf("%s %s\n", name, c.kind);
      if (argc < 2 || strcmp(argv[1], name) != 0) continue;
      c.body(size.bytes);
      // An allocator may find it late.
      static void *blocks[400];
      for (int round = 0; round < 2; round++) {
        for (auto &block : blocks) block = malloc(size.bytes > 100000 ? 100 : size.bytes);
        for (auto &block : blocks) free(block);
      }
      return 0;
    }
  return argc < 2 ? 0 : 2;
}

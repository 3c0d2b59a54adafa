// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A program with an operator new and an operator delete of its own, which relies on the sized form to call the latter.

#include <cstdio>
#include <cstdlib>
#include <new>

static int mine;

void *operator new(std::size_t size) {
  mine++;
  return static_cast<char *>(std::malloc(size + 32)) + 32;
}

void operator delete(void *pointer) noexcept {
  mine--;
  std::free(static_cast<char *>(pointer) - 32);
}

struct Object {
  char bytes[100];
};

Object *volatile sink;

int main() {
  for (int index = 0; index < 100; index++) {
    sink = new Object;
    // Sized: the compiler knows the type.
    delete sink;
  }
  ::operator delete(::operator new(77), std::size_t(77));
  return mine == 0 ? 0 : 1;
}

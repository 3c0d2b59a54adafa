// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CxxCases.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

template <std::size_t size> struct Object {
  unsigned char bytes[size];
};

template <std::size_t size, std::size_t alignment> struct alignas(alignment) Aligned {
  unsigned char bytes[size];
};

struct WithDestructor {
  std::unique_ptr<int> value = std::make_unique<int>(1);
};

// Volatile, so that the compiler does not leave out a new and its delete.
void *volatile sink;

template <class T> long one() {
  T *object = new T;
  sink = object;
  delete object;
  return 1;
}

std::atomic<long> destructors_run;

struct Late {
  std::vector<std::string> values;
  ~Late() {
    for (int index = 0; index < 20; index++) values.push_back(std::string(100 + index, 'y'));
    destructors_run++;
  }
};

thread_local Late late;

int handler_calls;

} // namespace

long cxx_string() {
  std::string text;
  for (int index = 0; index < 1000; index++) text += "0123456789";
  sink = text.data();
  return static_cast<long>(text.size());
}

long cxx_operators() {
  long sized = 0;
  for (int round = 0; round < 100; round++) {
    sized += one<Object<1>>() + one<Object<8>>() + one<Object<24>>() + one<Object<100>>() + one<Object<5000>>();
    sized += one<Aligned<64, 64>>() + one<Aligned<100, 32>>() + one<Aligned<200, 256>>() + one<Aligned<1, 4096>>();
    // Two objects: the one on the stack of pointers, and its member.
    sized += one<WithDestructor>() + 1;
    auto *array = new WithDestructor[7];
    sink = array;
    delete[] array;
    sized += 1 + 7;
    // std::allocator says the size as well, of arrays too, and of none.
    std::allocator<int> allocator;
    int *none = allocator.allocate(0), *some = allocator.allocate(333);
    sink = none;
    sink = some;
    allocator.deallocate(none, 0);
    allocator.deallocate(some, 333);
  }
  return sized;
}

int cxx_exhaustion() {
  volatile std::size_t huge = SIZE_MAX / 4;
  bool thrown = false;
  try {
    sink = ::operator new(huge);
  } catch (const std::bad_alloc &) {
    thrown = true;
  }
  if (!thrown || ::operator new(huge, std::nothrow) != nullptr) return 0;
  handler_calls = 0;
  std::set_new_handler([] {
    if (++handler_calls == 3) std::set_new_handler(nullptr);
  });
  thrown = false;
  try {
    sink = ::operator new(huge, std::align_val_t(64));
  } catch (const std::bad_alloc &) {
    thrown = true;
  }
  return thrown && handler_calls == 3;
}

long cxx_thread_locals() {
  destructors_run = 0;
  for (int round = 0; round < 200; round++) {
    std::thread first([] { late.values.push_back("x"); });
    std::thread second([] { late.values.reserve(100); });
    first.join();
    second.join();
  }
  return destructors_run;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// C++ objects of all kinds, made and destroyed: each form of operator new and operator delete is called.

#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

struct Base {
  long words[5] = {};
  virtual ~Base() {}
};

struct Derived : Base {
  std::string name = std::string(60, 'n');
};

struct alignas(64) Wide {
  char bytes[192] = {};
  ~Wide() { bytes[0] = 1; }
};

struct alignas(4096) Page {
  char bytes[4096] = {};
};

inline int make_objects() {
  int made = 0;
  std::map<int, std::string> strings;
  for (int key = 0; key < 1000; key++) strings[key * 7919 % 1009] = std::string(static_cast<std::size_t>(key % 300), 'x');
  made += static_cast<int>(strings.size());
  for (int round = 0; round < 200; round++) {
    std::unique_ptr<Base> object(new Derived);
    std::unique_ptr<Wide[]> array(new Wide[3]);
    std::unique_ptr<Page> page(new Page);
    std::unique_ptr<Derived[]> objects(new Derived[static_cast<std::size_t>(round)]);
    std::unique_ptr<char> byte(new (std::nothrow) char);
    std::vector<Wide> vector(static_cast<std::size_t>(round));
    std::shared_ptr<Page> shared = std::make_shared<Page>();
    delete new (std::nothrow) Wide;
    ::operator delete(::operator new(0), std::size_t(0));
    ::operator delete[](::operator new[](33), std::size_t(33));
    ::operator delete(::operator new(5, std::align_val_t(2)), std::size_t(5), std::align_val_t(2));
    ::operator delete[](::operator new[](70, std::align_val_t(32)), std::size_t(70), std::align_val_t(32));
    ::operator delete(nullptr, std::size_t(8));
    made += 10;
  }
  return made;
}

}  // namespace

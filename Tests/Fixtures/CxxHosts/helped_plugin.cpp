// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library in C++ whose operator new and operator delete come from another library, which it is linked with.

#include "objects.h"

extern "C" long helper_live();

extern "C" int plugin_work() {
  std::unique_ptr<int> kept(new int);
  if (helper_live() == 0) return -2;
  kept.reset();
  int made = make_objects();
  return helper_live() == 0 ? made : -1;
}

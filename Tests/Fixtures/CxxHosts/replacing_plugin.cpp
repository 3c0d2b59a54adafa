// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library in C++ that replaces operator new and operator delete by itself. Returns -1 if objects are left over.

#include "replacing.h"

#include "objects.h"

extern "C" int plugin_work() {
  long before = replaced_live;
  int made = make_objects();
  // Without its own operators in use, nothing is tested.
  delete new int(replaced_live == before ? 1 : 2);
  std::unique_ptr<int> kept(new int);
  if (replaced_live == before) return -2;
  kept.reset();
  return replaced_live == before ? made : -1;
}

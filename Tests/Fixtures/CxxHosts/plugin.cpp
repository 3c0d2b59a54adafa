// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library in C++ that leaves operator new and operator delete to the C++ library.

#include "objects.h"

extern "C" int plugin_work() { return make_objects(); }

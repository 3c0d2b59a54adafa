// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A library that replaces operator new and operator delete for the one that is linked with it.

#include "replacing.h"

extern "C" long helper_live() { return replaced_live; }

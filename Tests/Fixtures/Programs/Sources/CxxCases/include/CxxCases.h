// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef CXX_CASES_H
#define CXX_CASES_H

#ifdef __cplusplus
extern "C" {
#endif

// Builds a std::string of more characters than fit into the object. Returns its length.
long cxx_string(void);

// Allocates and releases objects of many sizes, and over-aligned ones, by new and delete. Returns how often the compiler said
// the size to operator delete.
long cxx_operators(void);

// Exhausted memory: std::bad_alloc, the new handler, and nothrow. Returns 1 if all is as the standard says.
int cxx_exhaustion(void);

// Threads with thread-local objects whose destructors allocate. Returns how many destructors have run.
long cxx_thread_locals(void);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Sized operator delete (C++14, C++17), so that the size of a C++ object, which the compiler knows, reaches the allocator.
//
// operator new stays the C++ library's: it calls malloc, and knows about new_handler and exceptions. So do the other forms
// of operator delete, which call free. The sized forms may use the size only where operator new and the unsized operator
// delete are the C++ library's own, and malloc is this image's: a program that replaces those may leave the sized forms alone,
// and rely on them to call its operator delete (C++17, [new.delete.single]). Hence the question to the dynamic linker when the
// process starts. Until then, and where the answer is unclear, these call the unsized form. They are weak, so that a program's
// own come first, and written in C, so that no program needs the C++ library for them.
//
// A program in C may open libraries in C++ later, and keep their names to them (RTLD_LOCAL). What is operator delete to such
// a library, its own, that of another library that came with it, or the C++ library's, cannot be found out from here; but
// the name of a sized form would lead here all the same. So where a process starts without C++, these names are taken back.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "CAllocatorSupport.h"
#include "dynamic_symbols.h"
#include "jumps.h"

#ifndef ALLOCATOR_SANITIZER

#define WEAK __attribute__((weak))

// The unsized forms, as the dynamic linker found them when this image was loaded: any of them may be null.
WEAK void _ZdlPv(void *pointer);
WEAK void _ZdaPv(void *pointer);
WEAK void _ZdlPvSt11align_val_t(void *pointer, size_t alignment);
WEAK void _ZdaPvSt11align_val_t(void *pointer, size_t alignment);

// Written once, before main.
static bool size_may_be_used;

static const void *image_of(const void *address) {
  Dl_info info;
  return address && dladdr(address, &info) ? info.dli_fbase : NULL;
}

static const void *image_that_defines(const char *name) {
  return image_of(dlsym(RTLD_DEFAULT, name));
}

// Every form whose replacement changes what a sized operator delete has to do.
static const char *const replaceable[] = {
    "_Znwm", "_ZnwmRKSt9nothrow_t", "_ZnwmSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZdlPv",
    "_Znam", "_ZnamRKSt9nothrow_t", "_ZnamSt11align_val_t", "_ZnamSt11align_val_tRKSt9nothrow_t", "_ZdaPv",
    "_ZdlPvSt11align_val_t", "_ZdaPvSt11align_val_t",
};

// The forms that are defined here.
static const char *const sized[] = {"_ZdlPvm", "_ZdaPvm", "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t", NULL};

__attribute__((constructor)) static void ask_whether_operators_are_replaced(void) {
  // No C++ so far. Nothing is asked: a question to the dynamic linker costs pages and time.
  if (!_ZdlPv) {
    withdraw_exports(sized);
    return;
  }
  // A function that only libstdc++ has: what operator new asks malloc for, below, is what libstdc++ does.
  const void *libstdcxx = image_that_defines("_ZN9__gnu_cxx27__verbose_terminate_handlerEv");
  // Linked statically, it shares an image with the program, and a replaced function cannot be told from its own.
  if (!libstdcxx || libstdcxx == image_of((const void *)getauxval(AT_ENTRY))) return;
  for (size_t index = 0; index < sizeof replaceable / sizeof replaceable[0]; index++)
    if (image_that_defines(replaceable[index]) != libstdcxx) return;
  // The program may have a malloc of its own, or another library been preloaded before this one; and behind a program that
  // opens this image, libc comes first.
  if (image_that_defines("malloc") != image_of((const void *)ask_whether_operators_are_replaced)) return;
  size_may_be_used = true;
}

// operator new (0) asks malloc for 1.
static size_t requested(size_t size) {
  return size ? size : 1;
}

// operator new (size, alignment) asks for at least a pointer's alignment, and a multiple of it.
static size_t requested_alignment(size_t alignment) {
  return alignment < sizeof(void *) ? sizeof(void *) : alignment;
}

static size_t requested_multiple(size_t size, size_t alignment) {
  return (requested(size) + alignment - 1) & -alignment;
}

static void release_aligned(void *pointer, size_t size, size_t alignment) {
  alignment = requested_alignment(alignment);
  malloc_jump_free_aligned_sized(pointer, alignment, requested_multiple(size, alignment));
}

// What the C++ library's own unsized forms do, for each that is missing: that for arrays calls that for one object, which
// calls free.

static void release_object(void *pointer) {
  _ZdlPv ? _ZdlPv(pointer) : free(pointer);
}

static void release_array(void *pointer) {
  _ZdaPv ? _ZdaPv(pointer) : release_object(pointer);
}

static void release_aligned_object(void *pointer, size_t alignment) {
  _ZdlPvSt11align_val_t ? _ZdlPvSt11align_val_t(pointer, alignment) : free(pointer);
}

static void release_aligned_array(void *pointer, size_t alignment) {
  _ZdaPvSt11align_val_t ? _ZdaPvSt11align_val_t(pointer, alignment) : release_aligned_object(pointer, alignment);
}

// operator delete (void *, size_t) and operator delete[] (void *, size_t)

WEAK void _ZdlPvm(void *pointer, size_t size) {
  return size_may_be_used ? malloc_jump_free_sized(pointer, requested(size)) : release_object(pointer);
}

WEAK void _ZdaPvm(void *pointer, size_t size) {
  return size_may_be_used ? malloc_jump_free_sized(pointer, requested(size)) : release_array(pointer);
}

// operator delete (void *, size_t, align_val_t) and operator delete[] (void *, size_t, align_val_t)

WEAK void _ZdlPvmSt11align_val_t(void *pointer, size_t size, size_t alignment) {
  return size_may_be_used ? release_aligned(pointer, size, alignment) : release_aligned_object(pointer, alignment);
}

WEAK void _ZdaPvmSt11align_val_t(void *pointer, size_t size, size_t alignment) {
  return size_may_be_used ? release_aligned(pointer, size, alignment) : release_aligned_array(pointer, alignment);
}

#endif

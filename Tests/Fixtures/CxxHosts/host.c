// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A program in C that opens libraries in C++, as interpreters do: host MODE LIBRARY…, where MODE is letters: l for RTLD_LOCAL, g for
// RTLD_GLOBAL, d for RTLD_DEEPBIND in addition, c to close each library again. Prints what each library's plugin_work returns.
//
// With SOME_OPERATORS it has two of the operators itself, for all libraries, and not the C++ library.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SOME_OPERATORS
void *_Znwm(size_t size) { return malloc(size ? size : 1); }
void _ZdlPv(void *pointer) { free(pointer); }
#endif

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int mode = RTLD_NOW | (strchr(argv[1], 'g') ? RTLD_GLOBAL : RTLD_LOCAL) | (strchr(argv[1], 'd') ? RTLD_DEEPBIND : 0);
  for (int index = 2; index < argc; index++) {
    void *library = dlopen(argv[index], mode);
    if (!library) {
      fprintf(stderr, "%s\n", dlerror());
      return 2;
    }
    int (*work)(void) = (int (*)(void))dlsym(library, "plugin_work");
    if (!work) return 2;
    printf("%d\n", work());
    fflush(stdout);
    if (strchr(argv[1], 'c')) dlclose(library);
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef ALLOCATOR_MALLOC_JUMPS_H
#define ALLOCATOR_MALLOC_JUMPS_H

#include <stddef.h>

// A program that exports the malloc family calls its own functions without a slot of the dynamic linker. Each of them is one direct
// jump, which costs nothing to speak of, and which a profiler in the same program can have lead elsewhere for a while:
//
// - on x86-64 eight bytes, aligned to eight: three prefixes without a meaning (2e), the opcode e9, and the distance from the end, four
//   bytes;
// - on 64-bit ARM the instruction B.
//
// A jump through a word in memory would do without writing code, and was tried: the same number of instructions, and 1.02 of the time
// of programs that do little but allocate and release (1.04 of the shape "simple").

struct allocator_malloc_jump {
  // The exported function, as it is called in C.
  const char *_Nonnull name;
  // Where the jump is: the function's first instruction.
  void *_Nonnull jump;
  // Where it leads; called with the parameters of the exported function.
  void *_Nonnull function;
};

// The jumps of this artifact; `count` is how many. The same at each call. Defined in artifacts that export the malloc family.
const struct allocator_malloc_jump *_Nonnull __swift_malloc_jumps(size_t *_Nonnull count);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Counts what a part of a program allocates, while others go on beside it: by the same hooks as the profile, every call of a thread
// that is in a scope, or in a task to which the scope is bound as a task-local value. In C for the same reasons.

#ifndef C_ALLOCATOR_INSIGHT_ALLOCATION_SCOPES_H
#define C_ALLOCATOR_INSIGHT_ALLOCATION_SCOPES_H

#include <stddef.h>
#include <stdint.h>

#include "heap_profile.h"

struct insight_scope_totals {
  // Calls that returned a block, and the bytes that they were asked for.
  uint64_t count, bytes;
  // Blocks that are not followed, because there was no room.
  uint64_t lost_blocks;
  // Places in the table of sites, some of which are empty.
  uint32_t places;
};

// Calls from one stack, or from several that are alike in their innermost frames; the same stack may be in it several times.
struct insight_scope_site {
  // 0 where there is none.
  uint64_t count, bytes;
  // 0 where there was no room for the stack.
  uint32_t depth;
  // As in `insight_site`.
  uint32_t physical_depth;
  uintptr_t frames[INSIGHT_STACK_DEPTH];
};

struct insight_scope_block {
  uintptr_t address;
  uint64_t size;
  // The index of its stack, for `insight_scope_read_stack`.
  uint32_t stack;
};

// Makes a scope within the one that the caller is in, and points the slots of all images at the hooks. It counts nothing yet.
//
// `task_key` is the object of the task-local value whose 64 bits are the scope's handle. A count above `limit`, or so many bytes
// above `byte_limit`, has each further call's stack looked at more closely. With `keeps_blocks`, blocks are followed until they are
// released. Returns 0, and why, where there can be none.
uint64_t insight_scope_open(
  const void *_Nonnull task_key, uint64_t limit, uint64_t byte_limit, int keeps_blocks,
  enum insight_profile_result *_Nonnull result);

// Puts the calling thread into the scope, and returns the one that it was in, or 0, for the next call.
uint64_t insight_scope_enter(uint64_t scope);

// Begins and ends to count.
void insight_scope_start(uint64_t scope);
void insight_scope_stop(uint64_t scope);

// Between the end and `insight_scope_close`:
void insight_scope_read_totals(uint64_t scope, struct insight_scope_totals *_Nonnull totals);
void insight_scope_read_site(uint64_t scope, uint32_t place, struct insight_scope_site *_Nonnull site);
void insight_scope_read_stack(uint64_t scope, uint32_t stack, struct insight_scope_site *_Nonnull site);
// Reads up to `room` of the blocks that have not been released; returns how many there are.
size_t insight_scope_read_blocks(uint64_t scope, struct insight_scope_block *_Nullable blocks, size_t room);

// Forgets the scope, and its blocks. The slots are as before 0.1 s after the last scope's end.
void insight_scope_close(uint64_t scope);

// Whether the slots point at the hooks for scopes.
int insight_scopes_have_slots(void);

#endif

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What Swift cannot say: which allocator answers malloc in this process, by the functions that it alone has; and two calls of the
// system that Swift's view of glibc's headers does not have.

#ifndef C_ALLOCATOR_INSIGHT_H
#define C_ALLOCATOR_INSIGHT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CAllocatorSupport.h"
#include "allocation_scopes.h"
#include "heap_profile.h"

enum insight_allocator_kind : unsigned {
  // Nothing that is known here.
  INSIGHT_UNKNOWN,
  // The allocator that was linked; it is asked through the exported symbols.
  INSIGHT_LINKED,
  // A library with the exported symbols of this package, preloaded.
  INSIGHT_SWIFT,
  INSIGHT_GLIBC,
  INSIGHT_JEMALLOC,
  INSIGHT_TCMALLOC,
  INSIGHT_MIMALLOC,
  INSIGHT_SANITIZER,
};

struct insight_allocator {
  enum insight_allocator_kind kind;
  // For logs; valid for the life of the process.
  const char *_Nonnull name;
  // The path of the image that has malloc; empty for the program itself where that is not known.
  const char *_Nonnull image;
};

// The allocator that answers malloc. Asks the dynamic linker at the first call.
struct insight_allocator insight_process_allocator(void);

// Its numbers. 0, and all unknown, where it has none.
int insight_read_statistics(struct allocator_statistics *_Nonnull statistics);

// Has it give free memory back. 0 where it cannot.
int insight_release_free_memory(void);

// Goes on with a walk over its live blocks, as `__swift_allocator_walk_blocks` does. -1 where it cannot.
long insight_walk_blocks(struct allocator_walk *_Nonnull walk, struct allocator_block *_Nonnull blocks, size_t capacity);

// The jumps with which the functions of the malloc family begin, where it is the one that was linked into this artifact; else NULL, and 0.
const struct allocator_malloc_jump *_Nullable insight_malloc_jumps(size_t *_Nonnull count);

// The user at the other end of a connected unix socket, as of the time of connect(2); -1 where there is none.
int64_t insight_peer_user(int socket);

// Names the calling thread, in up to 15 bytes.
void insight_name_thread(const char *_Nonnull name);

// Has the socket `listener` at `path` closed in children of this process, which have no thread that answers, and removed when
// the process ends by exit(3). -1 and NULL for none any more. Returns the one before, or -1.
int insight_set_listener(int listener, const char *_Nullable path);

#endif

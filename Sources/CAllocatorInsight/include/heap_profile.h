// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A sampled profile of the heap over whichever allocator answers malloc: the slots through which images call the malloc family, or the
// jumps of an allocator that the program brings, are pointed at functions that count bytes down, and pass on. In C, because these functions run below malloc in every thread:
// they may not allocate, nor take a lock of anybody else's.

#ifndef C_ALLOCATOR_INSIGHT_HEAP_PROFILE_H
#define C_ALLOCATOR_INSIGHT_HEAP_PROFILE_H

#include <stddef.h>
#include <stdint.h>

enum { INSIGHT_STACK_DEPTH = 64 };

enum insight_profile_result : unsigned {
  INSIGHT_PROFILE_STARTED,
  // One runs already.
  INSIGHT_PROFILE_BUSY,
  // No memory for its tables, or no thread.
  INSIGHT_PROFILE_NO_MEMORY,
  // A sanitizer answers malloc.
  INSIGHT_PROFILE_SANITIZER,
  // Allocator and Swift's runtime are in one image, and call each other without a slot, and there is no jump that can be written.
  INSIGHT_PROFILE_NO_SLOTS,
};

// Calls from one stack. What the allocations amount to are estimates, each with the estimate of its variance.
struct insight_site {
  uint64_t hash;
  uint32_t depth;
  // How many of the frames are physical; those behind them are of async functions that wait.
  uint32_t physical_depth;
  uint64_t samples;
  double objects, objects_variance, bytes, bytes_variance;
  // Return addresses, innermost first.
  uintptr_t frames[INSIGHT_STACK_DEPTH];
};

// A sampled block that has not been released.
struct insight_live_block {
  // 0 where there is none.
  uintptr_t address;
  uint64_t size;
  // Counts the samples, from 1.
  uint64_t serial;
  uint32_t site;
  uint32_t next;
};

struct insight_profile_state {
  // 0 when none runs.
  int64_t interval;
  // Of the profile that runs, or ran last: samples taken, those for which there was no room, and releases that came while the
  // thread was in the profiler itself, in a signal handler.
  uint64_t samples, lost_samples, missed_releases;
  // Stacks of fewer than three frames, by frame pointers and by tables.
  uint64_t short_stacks;
  uint32_t site_count, live_capacity;
  // Slots, or jumps, that point here, images that have some, and slots that could not be written.
  uint32_t slots, images, refused_slots;
  // Whether the program's own calls of malloc have no slots, because malloc is the program's.
  uint32_t program_has_malloc;
  // Whether frames of async functions can be followed: 1 yes, 0 not known yet, -1 no.
  int32_t async_frames;
};

// Starts to sample every `interval` bytes on average, for `seconds` at most (0: without an end).
enum insight_profile_result insight_profile_start(int64_t interval, double seconds);

// Ends it: the slots are as before. What was counted can be read until the next one starts. 0 where none ran.
int insight_profile_stop(void);

void insight_profile_read_state(struct insight_profile_state *_Nonnull state);

// Reads site `index` below `site_count`.
void insight_profile_read_site(uint32_t index, struct insight_site *_Nonnull site);

// Reads `count` places for live blocks from `first`, both below `live_capacity`.
void insight_profile_read_live(uint32_t first, uint32_t count, struct insight_live_block *_Nonnull blocks);

// Notes whether this call comes from an async function whose callers the profile's walk finds: one of them lies in the same code.
// That none does is noted with `is_last` alone.
void insight_profile_check_async(int is_last);

// Points the slots of images that have been loaded since at the profile. The profile's own thread does it every 20 ms.
void insight_profile_retap(void);

// Leaves out what the calling thread allocates and releases between the two calls: what reads a profile is no part of it. Returns
// what the second one is to be given.
int64_t insight_profile_leave_out(void);
void insight_profile_take_in(int64_t before);

// Copies memory that may not be there. 0 where it is not, or the system forbids it. One system call, process_vm_readv(2), or five
// where that is forbidden, and `size` is 4096 at most. Does not touch errno.
int insight_read_memory(uintptr_t address, void *_Nonnull bytes, size_t size);

// Has one of the two ways fail, or both; for tests.
enum { INSIGHT_READ_BY_CALL = 1, INSIGHT_READ_BY_PIPE = 2 };
void insight_refuse_reading(unsigned ways);

// The stack of the calling thread as the profile sees it, from the caller on; for tests. Returns the number of frames.
uint32_t insight_profile_walk(uintptr_t *_Nonnull frames, uint32_t *_Nonnull physical);

// A number that changes when an image is loaded or unloaded.
uint64_t insight_image_changes(void);

// An image that the dynamic linker has loaded.
struct insight_image {
  // What is added to the addresses in its file.
  uintptr_t base;
  // Where its segments are.
  uintptr_t low, high;
  uint8_t build_id[32];
  uint32_t build_id_size;
  // The file; for the program itself, a link to it.
  char path[1024];
};

// Finds the image that has `address` in a segment. 0 where there is none.
int insight_find_image(uintptr_t address, struct insight_image *_Nonnull image);

// The functions of an ELF file (elf(5)).
struct insight_symbol {
  uintptr_t start, end;
  const char *_Nonnull name;
};

// A place in the code, and what it refers to.
struct insight_reference {
  uintptr_t target, from;
};

struct insight_symbols {
  struct insight_symbol *_Nullable symbols;
  size_t count;
  // The file, mapped.
  const char *_Nullable file;
  size_t size;
  // Whether there is no `.symtab`.
  uint32_t is_stripped;
  // The lowest address of a segment, at the start of its page.
  uintptr_t low;
  uint8_t build_id[32];
  uint32_t build_id_size;
  // Where closures are made, by their metadata, once somebody has asked.
  struct insight_reference *_Nullable references;
  size_t reference_count;
  int has_references;
};

// Reads `.symtab`, or `.dynsym` where there is none. Empty for whatever is no such file. A file with debug information alone
// (objcopy(1), `--only-keep-debug`) has all of this, too.
void insight_read_symbols(const char *_Nonnull path, struct insight_symbols *_Nonnull symbols);

// The name of the function with the instruction at `address`, which is one of the file; null where there is none.
const char *_Nullable insight_find_symbol(const struct insight_symbols *_Nonnull symbols, uintptr_t address);

// The places in the code that refer to the metadata of a closure's context, both as addresses of the file, for which its whole code is
// looked through at the first call: some milliseconds for a large program. None on processors other than x86-64.
const struct insight_reference *_Nullable insight_closure_references(
  struct insight_symbols *_Nonnull file, uintptr_t metadata, size_t *_Nonnull count);

void insight_forget_symbols(struct insight_symbols *_Nonnull symbols);

// A symbol's name as it is written in Swift or C++; to be released with free(). Null where it is neither's.
char *_Nullable insight_demangle(const char *_Nonnull symbol);

#endif

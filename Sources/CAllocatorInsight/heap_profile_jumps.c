// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// The jumps with which the malloc family of a program begins that brings an allocator of this package (malloc_jumps.h). Threads go on
// meanwhile: an aligned word is written at once, and they see the old distance or the new one. For 64-bit ARM that is a rule (Arm
// Architecture Reference Manual, "Concurrent modification and execution of instructions"), on x86-64 it is what just-in-time
// compilers have long relied on.

#include "heap_profile_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)

static const uint8_t opcode[] = {0x2e, 0x2e, 0x2e, 0xe9};

static bool is_jump(const uint8_t *jump) {
  return (uintptr_t)jump % 8 == 0 && memcmp(jump, opcode, sizeof opcode) == 0;
}

static bool can_reach(const uint8_t *jump, const void *target) {
  intptr_t distance = (intptr_t)target - (intptr_t)(jump + 8);
  return distance == (int32_t)distance;
}

static const void *target_of(const uint8_t *jump) {
  return jump + 8 + __atomic_load_n((const int32_t *)(jump + 4), __ATOMIC_ACQUIRE);
}

static void lead(uint8_t *jump, const void *target) {
  __atomic_store_n((int32_t *)(jump + 4), (int32_t)((intptr_t)target - (intptr_t)(jump + 8)), __ATOMIC_RELEASE);
}

#elif defined(__aarch64__)

enum { OPCODE = 0x14000000, DISTANCE = 0x03ffffff };

static bool is_jump(const uint8_t *jump) { return (*(const uint32_t *)jump & ~(uint32_t)DISTANCE) == OPCODE; }

static bool can_reach(const uint8_t *jump, const void *target) {
  intptr_t distance = ((intptr_t)target - (intptr_t)jump) / 4;
  return distance >= -(1 << 25) && distance < 1 << 25;
}

static const void *target_of(const uint8_t *jump) {
  uint32_t distance = __atomic_load_n((const uint32_t *)jump, __ATOMIC_ACQUIRE) << 6;
  return jump + (intptr_t)((int32_t)distance >> 6) * 4;
}

static void lead(uint8_t *jump, const void *target) {
  uint32_t distance = (uint32_t)(((intptr_t)target - (intptr_t)jump) / 4);
  __atomic_store_n((uint32_t *)jump, OPCODE | (distance & DISTANCE), __ATOMIC_RELEASE);
  __builtin___clear_cache((char *)jump, (char *)jump + 4);
}

#endif

static const struct allocator_malloc_jump *jumps;
static size_t jump_count;

static const struct profile_hook *hook_of(const struct allocator_malloc_jump *jump) {
  for (uint32_t i = 0; i < profile_hook_count; i++)
    if (strcmp(jump->name, profile_hooks[i].name) == 0) return &profile_hooks[i];
  return NULL;
}

// The pages that the jumps are on, one or two.
static bool protect(int protection) {
  uintptr_t low = UINTPTR_MAX, high = 0, page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (size_t i = 0; i < jump_count; i++) {
    uintptr_t address = (uintptr_t)jumps[i].jump;
    if (address < low) low = address;
    if (address + 8 > high) high = address + 8;
  }
  low &= ~(page - 1);
  return mprotect((void *)low, high - low, protection) == 0;
}

bool profile_find_jumps(void) {
  // 1 where they can be written, -1 where they cannot; asked once, so that the hooks never change whom they pass on to.
  static int32_t found;
  if (found) return found > 0;
  found = -1;
  jumps = insight_malloc_jumps(&jump_count);
  if (!jumps) return false;
  for (size_t i = 0; i < jump_count; i++) {
    const struct profile_hook *hook = hook_of(&jumps[i]);
    if (!hook || !is_jump(jumps[i].jump) || !can_reach(jumps[i].jump, hook->hook)) return false;
  }
  // A system that lets no code be written says so here (SELinux, prctl(PR_SET_MDWE), systemd's MemoryDenyWriteExecute).
  int code = errno;
  bool can_write = protect(PROT_READ | PROT_WRITE | PROT_EXEC) && protect(PROT_READ | PROT_EXEC);
  errno = code;
  if (!can_write) return false;
  for (size_t i = 0; i < jump_count; i++) *hook_of(&jumps[i])->real = jumps[i].function;
  found = 1;
  return true;
}

static const void *function_for(size_t i, bool is_on) { return is_on ? hook_of(&jumps[i])->hook : jumps[i].function; }

uint32_t profile_write_jumps(bool is_on) {
  // As they are already, mostly: this is asked for with each new image.
  size_t done = 0;
  while (done < jump_count && target_of(jumps[done].jump) == function_for(done, is_on)) done++;
  if (done == jump_count) return (uint32_t)jump_count;
  if (!protect(PROT_READ | PROT_WRITE | PROT_EXEC)) return 0;
  for (size_t i = done; i < jump_count; i++) lead(jumps[i].jump, function_for(i, is_on));
  protect(PROT_READ | PROT_EXEC);
  return (uint32_t)jump_count;
}

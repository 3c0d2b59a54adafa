// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A stack by frame pointers: each frame begins with the address of its caller's frame, and the return address. Where the caller is
// the part of Swift's concurrency that runs jobs, the frame is that of an async function, and what waits for it is a list of
// contexts in the heap, each with its parent and with the function that goes on; the frame has its context's address below it.

#include "heap_profile_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

int32_t profile_async_frames;

// Two of each: one is filled while the other is in use. Who still reads the one that is filled ends a stack early, at worst.
static struct profile_range ranges[2][PROFILE_MOST_RANGES];
static struct {
  uint32_t count;
  struct profile_range concurrency;
} published[2];
static uint32_t current;

struct profile_range *profile_ranges_to_fill(void) { return ranges[!__atomic_load_n(&current, __ATOMIC_ACQUIRE)]; }

void profile_publish_ranges(uint32_t count, struct profile_range concurrency) {
  uint32_t next = !__atomic_load_n(&current, __ATOMIC_ACQUIRE);
  // Few, and nearly in order.
  for (uint32_t i = 1; i < count; i++) {
    struct profile_range range = ranges[next][i];
    uint32_t place = i;
    for (; place > 0 && ranges[next][place - 1].low > range.low; place--) ranges[next][place] = ranges[next][place - 1];
    ranges[next][place] = range;
  }
  published[next].count = count;
  published[next].concurrency = concurrency;
  __atomic_store_n(&current, next, __ATOMIC_RELEASE);
}

static bool is_code(uintptr_t address) {
  uint32_t now = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
  uint32_t low = 0, high = published[now].count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (ranges[now][middle].high <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low < published[now].count && ranges[now][low].low <= address;
}

static bool is_concurrency(uintptr_t address) {
  uint32_t now = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
  return address >= published[now].concurrency.low && address < published[now].concurrency.high;
}


// The mapping that a stack lies in, from /proc, because pthread_getattr_np allocates. Nothing but system calls.
static bool find_mapping(uintptr_t address, uintptr_t *low, uintptr_t *high) {
  int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char buffer[1024];
  uintptr_t number[2] = {0, 0};
  // Which of the two numbers at the start of a line is read; 2 for the rest of the line.
  unsigned part = 0;
  bool is_found = false;
  ssize_t length;
  while (!is_found && (length = read(file, buffer, sizeof buffer)) > 0)
    for (ssize_t i = 0; i < length; i++) {
      char byte = buffer[i];
      if (byte == '\n') {
        part = 0;
        number[0] = number[1] = 0;
      } else if (part < 2) {
        if (byte >= '0' && byte <= '9')
          number[part] = number[part] << 4 | (uintptr_t)(byte - '0');
        else if (byte >= 'a' && byte <= 'f')
          number[part] = number[part] << 4 | (uintptr_t)(byte - 'a' + 10);
        else if (++part == 2 && address >= number[0] && address < number[1]) {
          is_found = true;
          break;
        }
      }
    }
  close(file);
  *low = number[0];
  *high = number[1];
  return is_found;
}

// Where the thread's stack ends, which may be one that the program has made itself; 0 where that cannot be told.
static uintptr_t stack_end(uintptr_t frame) {
  if (frame >= profile_thread.stack_low && frame < profile_thread.stack_high) return profile_thread.stack_high;
  uintptr_t low, high;
  if (!find_mapping(frame, &low, &high)) return 0;
  // glibc keeps what it knows of a thread above its stack; the mapping may go on behind that.
  uintptr_t thread = (uintptr_t)pthread_self();
  if (thread > frame && thread < high) high = thread;
  // The first thread's stack grows downwards later.
  profile_thread.stack_low = frame < low + (1 << 16) ? low : frame - (1 << 16);
  profile_thread.stack_high = high;
  return high;
}

// Follows the contexts of async functions. Returns how many frames there are, 0 where these are none.
static uint32_t walk_async(uintptr_t context, uintptr_t *frames, uint32_t room) {
  uint32_t count = 0;
  while (context && count < room) {
    uintptr_t parent_and_resume[2];
    if (context % 16 != 0 || !insight_read_memory(context, parent_and_resume, sizeof parent_and_resume)) return 0;
    if (!is_code(parent_and_resume[1])) return 0;
    frames[count++] = parent_and_resume[1];
    if (parent_and_resume[0] == context) return 0;
    context = parent_and_resume[0];
  }
  return count;
}

uint32_t profile_walk(const uintptr_t *frame, uintptr_t *frames, uint32_t *physical) {
  uintptr_t end = stack_end((uintptr_t)frame);
  uint32_t count = 0;
  bool was_concurrency = true;
  while (count < INSIGHT_STACK_DEPTH && (uintptr_t)frame % 8 == 0 && (uintptr_t)frame + 16 <= end) {
    uintptr_t caller = frame[1];
    if (!is_code(caller)) break;
    bool is_job = is_concurrency(caller);
    if (is_job && !was_concurrency && __atomic_load_n(&profile_async_frames, __ATOMIC_RELAXED) >= 0) {
      uint32_t more = walk_async(frame[-1], frames + count, INSIGHT_STACK_DEPTH - count);
      if (more > 0) {
        *physical = count;
        return count + more;
      }
    }
    frames[count++] = caller;
    was_concurrency = is_job;
    const uintptr_t *next = (const uintptr_t *)frame[0];
    if (next <= frame) break;
    frame = next;
  }
  *physical = count;
  return count;
}

uint32_t insight_profile_walk(uintptr_t *frames, uint32_t *physical) {
  return profile_walk(__builtin_frame_address(0), frames, physical);
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// A stack by frame pointers: each frame begins with the address of its caller's frame, and the return address. Where the caller is
// the part of Swift's concurrency that runs jobs, the frame is that of an async function, and what waits for it is a list of
// contexts in the heap, each with its parent and with the function that goes on; the frame has its context's address below it.
//
// Where that does not lead to where the thread began, because code on the way has no frame pointers, the tables for exceptions are
// asked (System V ABI, "Unwind Library Interface"), which takes a hundred times as long.

#include "heap_profile_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <unwind.h>

#if defined(__x86_64__)
enum { FRAME_POINTER = 6 };
#elif defined(__aarch64__)
enum { FRAME_POINTER = 29 };
#else
#error "which register is the frame pointer, by its number in DWARF?"
#endif

// Not there in a program that has nothing of C++.
extern _Unwind_Reason_Code unwind(_Unwind_Trace_Fn, void *) __asm__("_Unwind_Backtrace") __attribute__((weak));

int32_t profile_async_frames;

// Two of each: one is filled while the other is in use. Who still reads the one that is filled ends a stack early, at worst.
static struct profile_range ranges[2][PROFILE_MOST_RANGES];
static struct {
  uint32_t count;
  struct profile_known_code known;
} published[2];
static uint32_t current;

struct profile_range *profile_ranges_to_fill(void) { return ranges[!__atomic_load_n(&current, __ATOMIC_ACQUIRE)]; }

void profile_publish_ranges(uint32_t count, struct profile_known_code known) {
  uint32_t next = !__atomic_load_n(&current, __ATOMIC_ACQUIRE);
  // Few, and nearly in order.
  for (uint32_t i = 1; i < count; i++) {
    struct profile_range range = ranges[next][i];
    uint32_t place = i;
    for (; place > 0 && ranges[next][place - 1].low > range.low; place--) ranges[next][place] = ranges[next][place - 1];
    ranges[next][place] = range;
  }
  published[next].count = count;
  published[next].known = known;
  __atomic_store_n(&current, next, __ATOMIC_RELEASE);
}

// The range that an address is in; null where it is in none.
static const struct profile_range *find_range(uintptr_t address) {
  uint32_t now = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
  uint32_t low = 0, high = published[now].count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (ranges[now][middle].high <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low < published[now].count && ranges[now][low].low <= address ? &ranges[now][low] : NULL;
}

static bool is_code(uintptr_t address) { return find_range(address) != NULL; }

bool profile_is_one_range(uintptr_t address, uintptr_t other) {
  const struct profile_range *range = find_range(address);
  return range && range == find_range(other);
}

static bool is_in(uintptr_t address, struct profile_range range) { return address >= range.low && address < range.high; }

static struct profile_known_code known_code(void) { return published[__atomic_load_n(&current, __ATOMIC_ACQUIRE)].known; }

static bool is_concurrency(uintptr_t address) { return is_in(address, known_code().concurrency); }

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

// Whether so many bytes of the stack are left.
static bool has_room_below(size_t bytes) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (here - profile_thread.stack_low >= bytes) return true;
  // Perhaps there is more than was looked at.
  profile_thread.stack_high = 0;
  return stack_end(here) && here - profile_thread.stack_low >= bytes;
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

// A stack on its way.
struct stack {
  uintptr_t *frames;
  uint32_t count, physical;
  // Whether the last frame is a part of Swift's concurrency.
  bool was_concurrency;
};

// Adds a caller; `context` is where the frame before has the address of its context, if it is that of an async function. Returns
// whether the stack goes on there.
static bool add_caller(struct stack *stack, uintptr_t caller, const uintptr_t *context) {
  if (!is_code(caller)) return false;
  bool is_job = is_concurrency(caller);
  if (is_job && !stack->was_concurrency && context && __atomic_load_n(&profile_async_frames, __ATOMIC_RELAXED) >= 0) {
    uint32_t more = walk_async(*context, stack->frames + stack->count, INSIGHT_STACK_DEPTH - stack->count);
    if (more > 0) {
      stack->physical = stack->count;
      stack->count += more;
      return false;
    }
  }
  stack->frames[stack->count++] = caller;
  stack->physical = stack->count;
  stack->was_concurrency = is_job;
  return stack->count < INSIGHT_STACK_DEPTH;
}

// Whether the stack ends where a thread begins, as far as that can be told.
static bool is_whole(const struct stack *stack) {
  if (stack->count > stack->physical || stack->count == INSIGHT_STACK_DEPTH) return true;
  struct profile_range libc = known_code().libc;
  return stack->count >= 3 && (libc.high == 0 || is_in(stack->frames[stack->count - 1], libc));
}

struct unwinding {
  struct stack stack;
  // Where the hook's frame is, and its thread's stack ends.
  uintptr_t frame, end;
  // What is in front of it is the profile's own.
  bool is_behind_hook;
  // The frame pointer of the frame before.
  uintptr_t before;
};

static _Unwind_Reason_Code add_unwound(struct _Unwind_Context *context, void *argument) {
  struct unwinding *unwinding = argument;
  uintptr_t caller = _Unwind_GetIP(context), before = unwinding->before;
  unwinding->before = _Unwind_GetGR(context, FRAME_POINTER);
  if (!unwinding->is_behind_hook) {
    if (caller != ((const uintptr_t *)unwinding->frame)[1]) return _URC_NO_REASON;
    unwinding->is_behind_hook = true;
  }
  bool has_context = before % 8 == 0 && before > unwinding->frame && before < unwinding->end;
  return add_caller(&unwinding->stack, caller, has_context ? (const uintptr_t *)before - 1 : NULL)
           ? _URC_NO_REASON : _URC_END_OF_STACK;
}

// More bytes than unwinding takes of the stack.
enum { UNWINDING_DEPTH = 8 << 10 };

uint32_t profile_walk(const uintptr_t *frame, uintptr_t *frames, uint32_t *physical) {
  uintptr_t end = stack_end((uintptr_t)frame);
  struct unwinding unwinding = {.frame = (uintptr_t)frame, .end = end};
  // The hook is none of Swift's, and has no context.
  struct stack stack = {.frames = frames, .was_concurrency = true};
  while ((uintptr_t)frame % 8 == 0 && (uintptr_t)frame + 16 <= end && add_caller(&stack, frame[1], frame - 1)) {
    const uintptr_t *next = (const uintptr_t *)frame[0];
    if (next <= frame) break;
    frame = next;
  }
  *physical = stack.physical;
  if (is_whole(&stack) || !unwind || !end || !has_room_below(UNWINDING_DEPTH)) return stack.count;

  uintptr_t unwound[INSIGHT_STACK_DEPTH];
  unwinding.stack = (struct stack){.frames = unwound, .was_concurrency = true};
  unwind(add_unwound, &unwinding);
  if (unwinding.stack.count <= stack.count) return stack.count;
  for (uint32_t i = 0; i < unwinding.stack.count; i++) frames[i] = unwound[i];
  *physical = unwinding.stack.physical;
  return unwinding.stack.count;
}

uint32_t insight_profile_walk(uintptr_t *frames, uint32_t *physical) {
  return profile_walk(__builtin_frame_address(0), frames, physical);
}

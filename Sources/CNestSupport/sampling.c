// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#define _GNU_SOURCE

#include "CNestSupport.h"
#include "system_call.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

struct nest_sample_slot nest_sample_slots[NEST_SAMPLE_SLOTS];
char *nest_sample_pages;

// Of the shim; see helper.c.
extern const char *__swift_malloc_name(void) __attribute__((weak));

static int64_t chances_left;

int nest_is_sample_due(void) {
  uint32_t interval = nest_samples();
  if (interval == 0) return 0;
  if (interval == 1) return 1;
  if (__atomic_sub_fetch(&chances_left, 1, __ATOMIC_RELAXED) > 0) return 0;
  // As many until the next one as chance has it, `interval` in the mean: what a program does in step with it is not left out.
  __atomic_store_n(&chances_left, 1 + (int64_t)nest_random_below(2 * (uint64_t)interval - 1), __ATOMIC_RELAXED);
  return 1;
}

int nest_set_sample_pages(void *pages) {
  char *none = NULL;
  return __atomic_compare_exchange_n(&nest_sample_pages, &none, (char *)pages, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

int nest_change_slot(struct nest_sample_slot *slot, uint32_t from, uint32_t to) {
  return __atomic_compare_exchange_n(&slot->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

uint32_t nest_slot_state(const struct nest_sample_slot *slot) { return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE); }

uint64_t nest_count_sample_release(void) {
  static uint64_t count;
  return __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
}

// MARK: Around a block

enum { filled = 16 };

// No zero and no ASCII, and another one in each process.
static unsigned char filling(uintptr_t address) { return (unsigned char)((nest_sealed.secret >> (address % 4 * 8)) | 0x80); }

static uintptr_t around(const struct nest_sample_slot *slot, int is_filling) {
  uintptr_t page = slot->block & ~(uintptr_t)4095, end = slot->block + slot->size;
  uintptr_t low = slot->block - page > filled ? slot->block - filled : page;
  uintptr_t high = page + 4096 - end > filled ? end + filled : page + 4096;
  for (uintptr_t address = low; address < high; address++) {
    if (address == slot->block) address = end;
    if (address >= high) break;
    unsigned char *byte = (unsigned char *)address;
    if (is_filling) *byte = filling(address);
    if (*byte != filling(address)) return address;
  }
  return 0;
}

void nest_fill_around(const struct nest_sample_slot *slot) { around(slot, 1); }
uintptr_t nest_changed_around(const struct nest_sample_slot *slot) { return around(slot, 0); }

// MARK: Stacks

static int read_memory(const void *address, void *bytes, size_t size) {
  struct iovec here = {bytes, size}, there = {(void *)address, size};
  long process = system_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
  return system_call(SYS_process_vm_readv, process, (long)&here, 1, (long)&there, 1, 0) == (long)size;
}

// Returns how many return addresses there are.
static int walk(const uintptr_t *frame, uintptr_t *frames, int room) {
  int count = 0;
  uintptr_t words[2];
  while (count < room && (uintptr_t)frame % 8 == 0 && read_memory(frame, words, sizeof words) && words[1] > 4096) {
    frames[count++] = words[1];
    // A stack grows downwards, and no frame is that large.
    if (words[0] <= (uintptr_t)frame || words[0] - (uintptr_t)frame > 1 << 20) break;
    frame = (const uintptr_t *)words[0];
  }
  if (count < room) frames[count] = 0;
  return count;
}

void nest_note_stack(struct nest_sample_slot *slot, int event) {
  slot->threads[event] = (uint32_t)system_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
  walk(__builtin_frame_address(0), slot->frames[event], NEST_SAMPLE_FRAMES);
}

// MARK: The message

// A line of 200 characters, and written when it is full or ends.
struct text {
  char line[256];
  size_t length;
};

static void add(struct text *text, const char *string) {
  for (; *string && text->length < sizeof text->line - 1; string++) text->line[text->length++] = *string;
}

static void add_number(struct text *text, uint64_t number, unsigned base) {
  char digits[24];
  int count = 0;
  do digits[count++] = "0123456789abcdef"[number % base];
  while ((number /= base) > 0);
  while (count > 0 && text->length < sizeof text->line - 1) text->line[text->length++] = digits[--count];
}

static void write_out(struct text *text) {
  system_call(SYS_write, STDERR_FILENO, (long)text->line, (long)text->length, 0, 0, 0);
  text->length = 0;
}

// Adds the file that is mapped at an address, and where in it that is: "/usr/lib/libfoo.so+0x1234", as `addr2line -e` takes it. From
// /proc, since what the dynamic linker knows is behind locks, which may be held just then.
static void add_place(struct text *text, uintptr_t address) {
  long file = system_call(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (file < 0) return;
  char buffer[512], path[160];
  size_t length = 0;
  // Of a line: the field (low, high, rights, offset, device, inode, path), and what was read.
  uintptr_t numbers[4] = {0}, base = 0;
  int field = 0, is_found = 0;
  long count;
  while (!is_found && (count = system_call(SYS_read, file, (long)buffer, sizeof buffer, 0, 0, 0)) > 0)
    for (long i = 0; i < count && !is_found; i++) {
      char byte = buffer[i];
      if (byte == '\n') {
        path[length] = 0;
        if (numbers[3] == 0) base = numbers[0];
        is_found = address >= numbers[0] && address < numbers[1];
        if (is_found) break;
        memset(numbers, 0, sizeof numbers);
        field = 0;
        length = 0;
      } else if (field < 6 && (byte == ' ' || (byte == '-' && field == 0))) {
        // Several spaces stand before the path.
        if (field < 5 || length == 0) field += field < 5 || (i + 1 < count && buffer[i + 1] != ' ');
      } else if (field < 4 && field != 2) {
        unsigned digit = byte <= '9' ? (unsigned)(byte - '0') : (unsigned)(byte - 'a' + 10);
        numbers[field] = numbers[field] << 4 | digit;
      } else if (field == 6 && length < sizeof path - 1) {
        path[length++] = byte;
      }
    }
  system_call(SYS_close, file, 0, 0, 0, 0, 0);
  if (!is_found || length == 0) return;
  add(text, " ");
  add(text, path);
  add(text, "+0x");
  add_number(text, address - base, 16);
}

static void write_frames(const char *title, uint32_t thread, const uintptr_t *frames) {
  struct text text = {.length = 0};
  add(&text, title);
  if (thread != 0) {
    add(&text, " by thread ");
    add_number(&text, thread, 10);
  }
  add(&text, ":\n");
  write_out(&text);
  for (int i = 0; i < NEST_SAMPLE_FRAMES && frames[i] != 0; i++) {
    add(&text, "  0x");
    add_number(&text, frames[i], 16);
    add_place(&text, frames[i]);
    add(&text, "\n");
    write_out(&text);
  }
}

static _Noreturn void die(const char *cause, const struct nest_sample_slot *slot, uintptr_t address, const uintptr_t *frames) {
  nest_claim_end();
  struct text text = {.length = 0};
  add(&text, "nest: ");
  add(&text, cause);
  add(&text, ", in a sampled block of ");
  add_number(&text, slot->size, 10);
  add(&text, " bytes, at byte ");
  if (address < slot->block) add(&text, "-");
  add_number(&text, address < slot->block ? slot->block - address : address - slot->block, 10);
  add(&text, ": 0x");
  add_number(&text, address, 16);
  add(&text, "\n");
  write_out(&text);
  write_frames("now", 0, frames);
  write_frames("allocated", slot->threads[0], slot->frames[0]);
  if (nest_slot_state(slot) == NEST_SLOT_RELEASED) write_frames("released", slot->threads[1], slot->frames[1]);
  abort();
}

void nest_die_of_sample(const char *cause, const struct nest_sample_slot *slot, uintptr_t address) {
  uintptr_t frames[NEST_SAMPLE_FRAMES];
  walk(__builtin_frame_address(0), frames, NEST_SAMPLE_FRAMES);
  die(cause, slot, address, frames);
}

// MARK: The signal

static void handle(int signal, siginfo_t *information, void *context) {
  uintptr_t address = (uintptr_t)information->si_addr, pages = (uintptr_t)nest_sampled_pages();
  size_t page = nest_page_size();
  if (information->si_code > 0 && pages != 0 && address >= pages && address < pages + (2 * NEST_SAMPLE_SLOTS + 1) * page) {
    const ucontext_t *user = context;
    uintptr_t frames[NEST_SAMPLE_FRAMES];
#if defined(__x86_64__)
    frames[0] = (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
    walk((const uintptr_t *)user->uc_mcontext.gregs[REG_RBP], frames + 1, NEST_SAMPLE_FRAMES - 1);
#else
    frames[0] = (uintptr_t)user->uc_mcontext.pc;
    walk((const uintptr_t *)user->uc_mcontext.regs[29], frames + 1, NEST_SAMPLE_FRAMES - 1);
#endif
    // A page of blocks is an odd one. Of a guard, it is the neighbor that the block ends or begins at.
    size_t index = (address - pages) / page;
    const struct nest_sample_slot *slot = NULL;
    if (index % 2 == 1) {
      slot = &nest_sample_slots[index / 2];
    } else {
      // The nearer one: who runs over an end is in the half of the guard that is next to it, as likely as not.
      int is_above = (address - pages) % page < page / 2 && index > 0;
      size_t number = is_above || index / 2 >= NEST_SAMPLE_SLOTS ? index / 2 - 1 : index / 2;
      slot = &nest_sample_slots[number];
    }
    uint32_t state = nest_slot_state(slot);
    if (state == NEST_SLOT_RELEASED)
      die("use of a block after its release", slot, address, frames);
    if (state != NEST_SLOT_EMPTY)
      die(address < slot->block ? "touch of what is before a block (underflow)" : "touch of what is behind a block (overflow)", slot,
          address, frames);
  }
  // Somebody else's: the fault comes again when this returns, and is handled as before.
  const struct sigaction before = nest_sealed.handler;
  if (before.sa_flags & SA_SIGINFO && before.sa_sigaction) {
    before.sa_sigaction(signal, information, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN && before.sa_handler) {
    before.sa_handler(signal);
  } else {
    sigaction(signal, &before, NULL);
    // Sent, and not of an instruction: it would not come again.
    if (information->si_code <= 0) raise(signal);
  }
}

void nest_start_sampling(uint32_t interval) {
  if (interval != 0 && !__atomic_load_n(&nest_sealed.has_handler, __ATOMIC_ACQUIRE) && nest_unseal()) {
    if (!__atomic_exchange_n(&nest_sealed.has_handler, 1, __ATOMIC_ACQ_REL)) {
      struct sigaction action;
      memset(&action, 0, sizeof action);
      action.sa_sigaction = handle;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
      sigaction(SIGSEGV, &action, &nest_sealed.handler);
    }
    nest_seal_again();
    nest_allow_helper();
    if (nest_may_have_helper()) nest_start_helper();
  }
  // Not the first one: what a program allocates first is the same each time.
  if (interval > 1) __atomic_store_n(&chances_left, 1 + (int64_t)nest_random_below(2 * (uint64_t)interval - 1), __ATOMIC_RELAXED);
  if (!nest_unseal()) return;
  __atomic_store_n(&nest_sealed.sample_interval, interval, __ATOMIC_RELEASE);
  nest_seal_again();
}

void nest_start_sampling_of_malloc(void) {
  const char *value = getenv("NEST_SAMPLE");
  if (!value || !__swift_malloc_name || strncmp(__swift_malloc_name(), "nest", 4) != 0) return;
  unsigned long interval = strtoul(value, NULL, 10);
  nest_start_sampling(interval < 1u << 30 ? (uint32_t)interval : 1u << 30);
}

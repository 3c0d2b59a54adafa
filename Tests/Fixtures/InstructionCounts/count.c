// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Prints how many instructions the library that is `malloc` executes for one call of each of its functions, when the calling
// thread has blocks of that size at hand: "malloc 20". Instructions of other libraries (memset, memcpy) are not counted: they
// are not the allocator's, and libc chooses them by the processor.
//
// A child executes the calls, each between two breakpoints, and this process has it do so one instruction at a time.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK __asm__ volatile("int3" ::: "memory")
enum { OLD = 100, SAME_CLASS = 105, OTHER_CLASS = 200, ALIGN = 16 };

// As the dynamic linker finds them: no call goes through a stub of this program.
static void *(*volatile c_malloc)(size_t);
static void *(*volatile c_calloc)(size_t, size_t);
static void *(*volatile c_realloc)(void *, size_t);
static void (*volatile c_free)(void *);
static void (*volatile c_free_sized)(void *, size_t);
static void *(*volatile rust_allocate)(size_t, size_t);
static void (*volatile rust_deallocate)(void *, size_t, size_t);
static void *(*volatile rust_reallocate)(void *, size_t, size_t, size_t);
static size_t (*volatile rust_reallocate_inplace)(void *, size_t, size_t, size_t);
static size_t (*volatile rust_usable_size)(size_t, size_t);

static void *volatile block;

static void call_malloc(void) { MARK; block = c_malloc(OLD); MARK; c_free(block); }
static void call_calloc(void) { MARK; block = c_calloc(1, OLD); MARK; c_free(block); }
static void call_realloc(void) { block = c_malloc(OLD); MARK; block = c_realloc(block, SAME_CLASS); MARK; c_free(block); }
static void call_realloc_moving(void) { block = c_malloc(OLD); MARK; block = c_realloc(block, OTHER_CLASS); MARK; c_free(block); }
static void call_free(void) { block = c_malloc(OLD); MARK; c_free(block); MARK; }
static void call_free_sized(void) { block = c_malloc(OLD); MARK; c_free_sized(block, OLD); MARK; }
static void call_allocate(void) { MARK; block = rust_allocate(OLD, ALIGN); MARK; rust_deallocate(block, OLD, ALIGN); }
static void call_deallocate(void) { block = rust_allocate(OLD, ALIGN); MARK; rust_deallocate(block, OLD, ALIGN); MARK; }
static void call_reallocate(void) {
  block = rust_allocate(OLD, ALIGN);
  MARK; block = rust_reallocate(block, OLD, SAME_CLASS, ALIGN); MARK;
  rust_deallocate(block, SAME_CLASS, ALIGN);
}
static void call_reallocate_inplace(void) {
  block = rust_allocate(OLD, ALIGN);
  MARK; rust_reallocate_inplace(block, OLD, SAME_CLASS, ALIGN); MARK;
  rust_deallocate(block, OLD, ALIGN);
}
static void call_usable_size(void) { MARK; block = (void *)rust_usable_size(OLD, ALIGN); MARK; }

static const struct {
  const char *name;
  void (*call)(void);
} entry_points[] = {
    {"malloc", call_malloc},
    {"calloc", call_calloc},
    {"realloc", call_realloc},
    {"realloc-moving", call_realloc_moving},
    {"free", call_free},
    {"free_sized", call_free_sized},
    {"__rust_allocate", call_allocate},
    {"__rust_deallocate", call_deallocate},
    {"__rust_reallocate", call_reallocate},
    {"__rust_reallocate_inplace", call_reallocate_inplace},
    {"__rust_usable_size", call_usable_size},
};

static void *find(const char *name) {
  void *function = dlsym(RTLD_DEFAULT, name);
  if (!function) {
    fprintf(stderr, "no function %s\n", name);
    exit(1);
  }
  return function;
}

// The machine code of the library in which `arguments[0]` is: from [1] to [2].
static int find_code(struct dl_phdr_info *info, size_t size, void *arguments) {
  uintptr_t *range = arguments;
  (void)size;
  for (int index = 0; index < info->dlpi_phnum; index++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[index];
    uintptr_t start = info->dlpi_addr + header->p_vaddr;
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || range[0] - start >= header->p_memsz) continue;
    range[1] = start;
    range[2] = start + header->p_memsz;
    return 1;
  }
  return 0;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// Waits for the child to stop by a breakpoint or after an instruction, and returns which: a `si_code` of SIGTRAP.
static int wait_for_trap(pid_t child) {
  int status;
  siginfo_t info;
  if (waitpid(child, &status, 0) != child) fail("waitpid");
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
    fprintf(stderr, "the child ended or was stopped: status %x\n", status);
    exit(1);
  }
  if (ptrace(PTRACE_GETSIGINFO, child, 0, &info)) fail("PTRACE_GETSIGINFO");
  return info.si_code;
}

static void let_go(pid_t child, int request) {
  if (ptrace(request, child, 0, 0)) fail("ptrace");
}

int main(void) {
  c_malloc = find("malloc");
  c_calloc = find("calloc");
  c_realloc = find("realloc");
  c_free = find("free");
  c_free_sized = find("free_sized");
  rust_allocate = find("__rust_allocate");
  rust_deallocate = find("__rust_deallocate");
  rust_reallocate = find("__rust_reallocate");
  rust_reallocate_inplace = find("__rust_reallocate_inplace");
  rust_usable_size = find("__rust_usable_size");
  uintptr_t code[3] = {(uintptr_t)c_malloc, 0, 0};
  if (!dl_iterate_phdr(find_code, code)) return 1;

  int count = sizeof entry_points / sizeof entry_points[0];
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    // Blocks at hand, and the functions of libc bound.
    void *blocks[40];
    for (int round = 0; round < 50; round++) {
      for (int index = 0; index < 40; index++) blocks[index] = c_calloc(1, index % 2 ? OLD : OTHER_CLASS);
      for (int index = 0; index < 40; index++) c_free(blocks[index]);
      c_free(c_realloc(c_malloc(OLD), OTHER_CLASS));
    }
    if (ptrace(PTRACE_TRACEME, 0, 0, 0)) fail("PTRACE_TRACEME");
    for (int index = 0; index < count; index++) entry_points[index].call();
    _exit(0);
  }
  for (int index = 0; index < count; index++) {
    int instructions = 0;
    wait_for_trap(child);
    do {
      struct user_regs_struct registers;
      if (ptrace(PTRACE_GETREGS, child, 0, &registers)) fail("PTRACE_GETREGS");
      if (registers.rip >= code[1] && registers.rip < code[2]) instructions++;
      let_go(child, PTRACE_SINGLESTEP);
    } while (wait_for_trap(child) == TRAP_TRACE);
    printf("%s %d\n", entry_points[index].name, instructions);
    let_go(child, PTRACE_CONT);
  }
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) return 1;
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CCases.h"

#include <string.h>

#include "check.h"

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
    {"functions", case_functions},
    {"alignment", case_alignment},
    {"huge", case_huge},
    {"products", case_products},
    {"errno", case_errno},
    {"zero", case_zero},
    {"calloc", case_calloc},
    {"realloc", case_realloc},
    {"statistics", case_statistics},
    {"no-statistics", case_no_statistics},
    {"trim", case_trim},
    {"no-trim", case_no_trim},
    {"out-of-memory", case_out_of_memory},
    {"thread-destructors", case_thread_destructors},
    {"threads", case_threads},
    {"busy-fork", case_busy_fork},
    {"fork-in-handler", case_fork_in_handler},
    {"vfork", case_vfork},
    {"exit", case_exit},
    {"early", case_early},
    {"dlopen", case_dlopen},
    {"fork-handlers", case_fork_handlers},
    {"fork-streams", case_fork_streams},
    {"fork-in-fork", case_fork_in_fork},
    {"fork-in-malloc-with-threads", case_fork_in_malloc_with_threads},
    {"plain-fork", case_plain_fork},
    {"hooks", case_hooks},
    {"no-mremap", case_no_mremap},
    {"no-munmap", case_no_munmap},
    {"no-madvise", case_no_madvise},
    {"no-mprotect", case_no_mprotect},
    {"no-mmap", case_no_mmap},
    {"strict-sandbox", case_strict_sandbox},
    {"map-limit", case_map_limit},
    {"locked", case_locked},
    {"scarce", case_scarce},
    {"big-block", case_big_block},
};

int is_short(void) {
  return getenv("SHORT_CASES") != NULL;
}

int rounds(int full) {
  return is_short() ? full / 20 : full;
}

void run_case(const char *name) {
  for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++)
    if (strcmp(cases[index].name, name) == 0) {
      // A case that hangs is ended by a signal.
      alarm(240);
      cases[index].run();
      alarm(0);
      return;
    }
  dprintf(2, "no case is called %s\n", name);
  exit(2);
}

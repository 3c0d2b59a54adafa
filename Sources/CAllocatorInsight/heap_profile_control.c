// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "heap_profile_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <time.h>

extern const char swift_allocObject[] __attribute__((weak));

// Between whoever starts, stops and looks for new images.
static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static pthread_t watcher;
// The generation that runs and has the thread `watcher`; 0 for none.
static uint32_t watched, last_generation;
static struct timespec deadline;
static bool has_deadline;
static uint64_t image_changes;
static struct profile_slots slots;
static bool program_has_malloc;

// Scopes that are open. The slots point at the hooks for as long as there are some, and a little longer, because the next one
// is often near, and all slots take milliseconds to write; a thread of its own sees to that.
static uint32_t open_scopes;
static bool scopes_have_slots;
static struct timespec scopes_end;
static const double linger = 0.1;

static const void *image_of(const void *address) {
  Dl_info info;
  return address && dladdr(address, &info) ? info.dli_fbase : NULL;
}

static void make_condition(void) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&wake, &attributes);
  pthread_condattr_destroy(&attributes);
}

// The child has no thread that watches, and whoever held a lock is not there: slots stay as they are, and pass on.
static void forget_in_child(void) {
  profile_forget_in_child();
  pthread_mutex_init(&control, NULL);
  make_condition();
  watched = 0;
  open_scopes = 0;
  scopes_have_slots = false;
}

// The image with the hooks must stay for as long as a thread may be in one.
static void prepare_process(void) {
  static bool is_prepared;
  if (is_prepared) return;
  is_prepared = true;
  make_condition();
  pthread_atfork(NULL, NULL, forget_in_child);
  Dl_info info;
  if (dladdr((void *)prepare_process, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static struct timespec after(struct timespec time, double seconds) {
  time.tv_sec += (time_t)seconds;
  time.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (time.tv_nsec >= 1000000000) time.tv_nsec -= 1000000000, time.tv_sec++;
  return time;
}

static bool is_before(struct timespec a, struct timespec b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

// Under `control`, as all below.
static void set_attention(void) {
  uint32_t scopes = open_scopes > 0 ? (uint32_t)PROFILE_SCOPES : 0;
  __atomic_store_n(&profile_attention, profile_generation | scopes, __ATOMIC_RELEASE);
}

static void set_generation(uint32_t generation) {
  __atomic_store_n(&profile_generation, generation, __ATOMIC_RELEASE);
  set_attention();
}

static void end(void) {
  set_generation(0);
  if (!scopes_have_slots) profile_write_slots(false);
}

static void *watch(void *context) {
  uint32_t generation = (uint32_t)(uintptr_t)context;
  insight_name_thread("heap profile");
  // How often to look again: an image that is still being loaded has slots that cannot be written yet.
  unsigned rounds = slots.pending ? 10 : 0;
  pthread_mutex_lock(&control);
  while (watched == generation) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (has_deadline && !is_before(now, deadline)) {
      end();
      watched = 0;
      pthread_mutex_unlock(&control);
      pthread_detach(pthread_self());
      return NULL;
    }
    struct timespec next = after(now, 0.02);
    pthread_cond_timedwait(&wake, &control, &next);
    if (watched != generation) break;
    if (rounds > 0) {
      rounds--;
      slots = profile_write_slots(true);
    }
    uint64_t now_changes = insight_image_changes();
    if (now_changes != image_changes) {
      image_changes = now_changes;
      rounds = 10;
    }
  }
  pthread_mutex_unlock(&control);
  return NULL;
}

// Whether calls can be seen, and all that is needed for that.
static enum insight_profile_result prepare_hooks(void) {
  if (insight_process_allocator().kind == INSIGHT_SANITIZER) return INSIGHT_PROFILE_SANITIZER;
  bool has_jumps = profile_find_jumps();
  program_has_malloc = false;
  if (!has_jumps) {
    const void *image = image_of(dlsym(RTLD_DEFAULT, "malloc"));
    program_has_malloc = image && image == image_of((void *)getauxval(AT_PHDR));
    // Where Swift's runtime is linked into the image with malloc, its calls lead there without a slot.
    // In a program without a dynamic linker there is nobody to ask.
    if (!image || image == image_of(swift_allocObject)) return INSIGHT_PROFILE_NO_SLOTS;
    profile_find_real_functions();
  }
  prepare_process();
  return INSIGHT_PROFILE_STARTED;
}

// With a small stack, and all signals blocked: they are the program's.
static bool start_thread(pthread_t *thread, void *(*body)(void *), void *context) {
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(thread, &attributes, body, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return code == 0;
}

static enum insight_profile_result begin(int64_t interval, double seconds) {
  if (watched) return INSIGHT_PROFILE_BUSY;
  enum insight_profile_result result = prepare_hooks();
  if (result != INSIGHT_PROFILE_STARTED) return result;
  if (!profile_prepare_tables(interval)) return INSIGHT_PROFILE_NO_MEMORY;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  has_deadline = seconds > 0;
  deadline = after(deadline, seconds);
  if (++last_generation == (uint32_t)PROFILE_SCOPES) last_generation = 1;
  watched = last_generation;
  // What changes from here on is new.
  image_changes = insight_image_changes();
  slots = profile_write_slots(true);

  if (!start_thread(&watcher, watch, (void *)(uintptr_t)watched)) {
    watched = 0;
    end();
    return INSIGHT_PROFILE_NO_MEMORY;
  }
  set_generation(last_generation);
  return INSIGHT_PROFILE_STARTED;
}

enum insight_profile_result insight_profile_start(int64_t interval, double seconds) {
  pthread_mutex_lock(&control);
  enum insight_profile_result result = begin(interval, seconds);
  pthread_mutex_unlock(&control);
  return result;
}

int insight_profile_stop(void) {
  pthread_mutex_lock(&control);
  bool did_run = watched != 0;
  pthread_t thread = watcher;
  if (did_run) {
    end();
    watched = 0;
    pthread_cond_broadcast(&wake);
  }
  pthread_mutex_unlock(&control);
  if (did_run) pthread_join(thread, NULL);
  return did_run;
}

void insight_profile_retap(void) {
  pthread_mutex_lock(&control);
  if (watched) slots = profile_write_slots(true);
  pthread_mutex_unlock(&control);
}

// MARK: Scopes

static uint64_t scope_image_changes;

static void *watch_scopes(void *context) {
  (void)context;
  insight_name_thread("alloc. scopes");
  pthread_detach(pthread_self());
  // As in `watch`.
  unsigned rounds = 0;
  while (true) {
    struct timespec pause = {0, 20000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    pthread_mutex_lock(&control);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (open_scopes == 0 && !is_before(now, scopes_end)) {
      scopes_have_slots = false;
      if (!watched) profile_write_slots(false);
      pthread_mutex_unlock(&control);
      return NULL;
    }
    uint64_t now_changes = insight_image_changes();
    if (now_changes != scope_image_changes) {
      scope_image_changes = now_changes;
      rounds = 10;
    }
    if (rounds > 0) {
      rounds--;
      slots = profile_write_slots(true);
    }
    pthread_mutex_unlock(&control);
  }
}

enum insight_profile_result profile_begin_scopes(void) {
  pthread_mutex_lock(&control);
  enum insight_profile_result result = INSIGHT_PROFILE_STARTED;
  if (!scopes_have_slots) {
    result = prepare_hooks();
    if (result == INSIGHT_PROFILE_STARTED) {
      pthread_t thread;
      scopes_have_slots = start_thread(&thread, watch_scopes, NULL);
      if (!scopes_have_slots) result = INSIGHT_PROFILE_NO_MEMORY;
      scope_image_changes = 0;
    }
  }
  if (result == INSIGHT_PROFILE_STARTED) {
    // Images that came just now are in it from the start.
    uint64_t changes = insight_image_changes();
    if (changes != scope_image_changes) {
      scope_image_changes = changes;
      slots = profile_write_slots(true);
    }
    open_scopes++;
    set_attention();
  }
  pthread_mutex_unlock(&control);
  return result;
}

int insight_scopes_have_slots(void) {
  pthread_mutex_lock(&control);
  int have = scopes_have_slots;
  pthread_mutex_unlock(&control);
  return have;
}

void profile_end_scopes(void) {
  pthread_mutex_lock(&control);
  if (open_scopes > 0 && --open_scopes == 0) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    scopes_end = after(now, linger);
    set_attention();
  }
  pthread_mutex_unlock(&control);
}

struct profile_slots profile_current_slots(bool *has_malloc) {
  *has_malloc = program_has_malloc;
  return slots;
}

void insight_profile_check_async(int is_last) {
  uintptr_t frames[INSIGHT_STACK_DEPTH];
  uint32_t physical, depth = insight_profile_walk(frames, &physical);
  bool is_found = false;
  for (uint32_t i = physical; i < depth; i++) is_found |= profile_is_one_range(frames[i], (uintptr_t)__builtin_return_address(0));
  if (is_found || is_last) __atomic_store_n(&profile_async_frames, is_found ? 1 : -1, __ATOMIC_RELAXED);
}

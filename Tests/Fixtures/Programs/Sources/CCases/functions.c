// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Each function by itself: what the C standard, POSIX and the man pages say of it.

#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

// In no header of this platform.
void free_sized(void *pointer, size_t size) __attribute__((weak));
void free_aligned_sized(void *pointer, size_t alignment, size_t size) __attribute__((weak));

static size_t page_size(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

void cfree(void *pointer) __attribute__((weak));

// glibc has cfree for programs that were linked long ago, and no linker finds it there.
static void release_by_cfree(void *pointer) {
  void (*release)(void *) = cfree;
  if (!release) release = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
  CHECK(release, "cfree");
  release(pointer);
}

// A block of `size` bytes: aligned, as large as it says, and writable to its end.
static void check_block(const char *what, void *block, size_t alignment, size_t size) {
  CHECK(block, "%s: %zu bytes", what, size);
  CHECK((uintptr_t)block % alignment == 0, "%s: %p is not aligned to %zu", what, block, alignment);
  size_t usable = malloc_usable_size(block);
  CHECK(usable >= size, "%s: usable %zu of %zu", what, usable, size);
  CHECK(usable <= size * 2 + alignment + 65536, "%s: usable %zu of %zu", what, usable, size);
  memset(opaque(block), 0xa5, usable);
}

// Every symbol of the family comes from the image that malloc comes from, and a block of any is released by free.
void case_functions(void) {
  static const char *const family[] = {
      "calloc", "realloc", "free", "posix_memalign", "aligned_alloc", "memalign", "valloc", "pvalloc", "reallocarray",
      "malloc_usable_size", "free_sized", "free_aligned_sized", "malloc_trim", "mallinfo", "mallinfo2", "mallopt",
      "malloc_stats", "malloc_info", "_ZdlPvm", "_ZdaPvm", "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t",
  };
  Dl_info of_malloc, of_symbol;
  CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &of_malloc), "malloc");
  for (size_t index = 0; index < sizeof family / sizeof family[0]; index++) {
    void *address = dlsym(RTLD_DEFAULT, family[index]);
    // A linker exports a program's function if a library knows the name, and no library knows those of C23 yet.
    if (!address && strstr(family[index], "sized")) continue;
    // A program that starts without C++ finds no operator here that it might call in another library's place.
    if (!dlsym(RTLD_DEFAULT, "_ZdlPv") && strncmp(family[index], "_Zd", 3) == 0) {
      CHECK(!address, "%s", family[index]);
      continue;
    }
    CHECK(address && dladdr(address, &of_symbol), "%s", family[index]);
    CHECK(of_symbol.dli_fbase == of_malloc.dli_fbase, "%s comes from %s, malloc from %s", family[index],
          of_symbol.dli_fname, of_malloc.dli_fname);
  }
  CHECK(!strstr(of_malloc.dli_fname, "libc.so"), "malloc comes from %s", of_malloc.dli_fname);

  static const size_t sizes[] = {0, 1, 8, 15, 16, 17, 24, 100, 511, 512, 1000, 4095, 4096, 4097, 40000, 1 << 20, 5 << 20};
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
    size_t size = sizes[index];
    void *blocks[12];
    blocks[0] = malloc(size);
    blocks[1] = calloc(1, size);
    blocks[2] = realloc(NULL, opaque_size(size));
    blocks[3] = reallocarray(NULL, opaque_size(size), 1);
    CHECK(posix_memalign(&blocks[4], 8, size) == 0, "%zu", size);
    CHECK(posix_memalign(&blocks[5], 512, size) == 0, "%zu", size);
    blocks[6] = aligned_alloc(64, size);
    blocks[7] = memalign(128, size);
    blocks[8] = valloc(size);
    blocks[9] = pvalloc(size);
    blocks[10] = malloc(size);
    blocks[11] = aligned_alloc(4, size);
    static const size_t alignments[] = {16, 16, 16, 16, 16, 512, 64, 128, 4096, 4096, 16, 16};
    for (int block = 0; block < 12; block++) check_block("block", blocks[block], alignments[block], size);
    CHECK(malloc_usable_size(blocks[9]) >= (size + page_size() - 1) / page_size() * page_size(), "pvalloc %zu", size);
    for (int block = 0; block < 12; block++)
      for (int other = 0; other < block; other++) CHECK(blocks[block] != blocks[other], "%d is %d", block, other);
    for (int block = 0; block < 8; block++) free(blocks[block]);
    release_by_cfree(blocks[8]);
    free(blocks[9]);
    free_sized(blocks[10], size);
    free_aligned_sized(blocks[11], 4, size);
  }
  void *aligned = aligned_alloc(4096, 8192);
  check_block("aligned_alloc", aligned, 4096, 8192);
  free_aligned_sized(aligned, 4096, 8192);
  free(NULL);
  release_by_cfree(NULL);
  free_sized(NULL, 0);
  free_aligned_sized(NULL, 16, 0);
  CHECK(malloc_usable_size(NULL) == 0, "malloc_usable_size (NULL)");
}

void case_alignment(void) {
  for (size_t alignment = 8; alignment <= 16 << 20; alignment *= 2)
    for (size_t multiple = 0; multiple < 9; multiple++) {
      // Half an alignment, one, one and a half, …
      size_t size = alignment / 2 * multiple + multiple % 2;
      void *blocks[3];
      for (int block = 0; block < 3; block++) {
        blocks[block] = aligned_alloc(alignment, size);
        CHECK(blocks[block] && (uintptr_t)blocks[block] % alignment == 0, "aligned_alloc (%zu, %zu): %p", alignment, size,
              blocks[block]);
        CHECK((uintptr_t)blocks[block] % 16 == 0, "%p", blocks[block]);
        if (size) *(volatile char *)blocks[block] = 1;
        if (size) ((volatile char *)blocks[block])[size - 1] = 2;
      }
      blocks[1] = realloc(blocks[1], size + 100);
      CHECK(blocks[1] && (uintptr_t)blocks[1] % 16 == 0, "realloc of an aligned block");
      for (int block = 0; block < 3; block++) free(blocks[block]);
    }
  void *giant;
  CHECK(posix_memalign(&giant, 1ul << 30, 100) == 0 && (uintptr_t)giant % (1ul << 30) == 0, "1 GiB: %p", giant);
  free(giant);
  for (size_t size = 0; size < 3000; size++) {
    void *block = malloc(size);
    CHECK(block && (uintptr_t)block % 16 == 0, "malloc (%zu): %p", size, block);
    free(block);
  }
  // Alignments that are not.
  void *untouched = &giant;
  static const size_t wrong[] = {0, 1, 2, 4, 3, 12, 24, 100, SIZE_MAX, SIZE_MAX / 2};
  for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++) {
    errno = 77;
    CHECK(posix_memalign(&untouched, wrong[index], 16) == EINVAL, "posix_memalign (%zu)", wrong[index]);
    CHECK(untouched == &giant, "posix_memalign (%zu) has written", wrong[index]);
    CHECK(errno == 77, "posix_memalign (%zu) sets errno to %d", wrong[index], errno);
    if ((wrong[index] & (wrong[index] - 1)) == 0 && wrong[index]) continue;
    errno = 0;
    CHECK(!opaque(aligned_alloc(opaque_size(wrong[index]), 16)) && errno == EINVAL, "aligned_alloc (%zu): %d", wrong[index], errno);
  }
}

// Sizes near the end of the address space, in every function that adds something to a size.
void case_huge(void) {
  static const size_t below[] = {0, 1, 7, 15, 16, 17, 31, 32, 63, 64, 4094, 4095, 4096, 4097, 65535, 1 << 20, 1 << 30};
  static const size_t tops[] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 2, PTRDIFF_MAX, SIZE_MAX / 4 * 3, 1ul << 48};
  char *kept = malloc(100);
  memset(kept, 7, 100);
  for (size_t top = 0; top < sizeof tops / sizeof tops[0]; top++)
    for (size_t index = 0; index < sizeof below / sizeof below[0]; index++) {
      size_t size = opaque_size(tops[top] - below[index]);
#define FAILS(call)                                                       \
  errno = 0;                                                              \
  CHECK(opaque(call) == NULL, #call ", size %zx", size);                  \
  CHECK(errno == ENOMEM, #call ", size %zx: errno %d", size, errno)
      FAILS(malloc(size));
      FAILS(calloc(1, size));
      FAILS(calloc(size, 1));
      FAILS(realloc(NULL, size));
      FAILS(realloc(kept, size));
      FAILS(reallocarray(kept, 1, size));
      FAILS(aligned_alloc(64, size));
      FAILS(aligned_alloc(1 << 20, size));
      FAILS(memalign(4096, size));
      FAILS(valloc(size));
      FAILS(pvalloc(size));
      void *untouched = kept;
      errno = 77;
      CHECK(posix_memalign(&untouched, 4096, size) == ENOMEM, "posix_memalign, size %zx", size);
      CHECK(untouched == kept && errno == ENOMEM, "posix_memalign, size %zx: errno %d", size, errno);
    }
  void *untouched = kept;
  for (size_t alignment = 1ul << 48; alignment; alignment *= 2) {
    size_t size = 16;
    FAILS(aligned_alloc(opaque_size(alignment), size));
    errno = 77;
    CHECK(posix_memalign(&untouched, opaque_size(alignment), 16) == ENOMEM, "alignment %zx", alignment);
    CHECK(untouched == kept && errno == ENOMEM, "posix_memalign, alignment %zx: errno %d", alignment, errno);
  }
  for (int index = 0; index < 100; index++) CHECK(kept[index] == 7, "a realloc that failed has changed the block");
  free(kept);
}

// Products that do not fit a word, those that wrap to a small number above all.
void case_products(void) {
  static const size_t factors[][2] = {
      {1ul << 32, 1ul << 32}, {(1ul << 32) + 1, 1ul << 32}, {1ul << 63, 2}, {SIZE_MAX / 2 + 2, 2}, {SIZE_MAX, SIZE_MAX},
      {SIZE_MAX, 2},          {SIZE_MAX / 16 + 2, 16},      {3, 6148914691236517206}, {1ul << 60, 16}, {(1ul << 60) + 1, 16},
  };
  char *kept = malloc(50);
  memset(kept, 9, 50);
  for (size_t index = 0; index < sizeof factors / sizeof factors[0]; index++)
    for (int order = 0; order < 2; order++) {
      size_t count = opaque_size(factors[index][order]), size = opaque_size(factors[index][!order]);
      errno = 0;
      CHECK(!opaque(calloc(count, size)) && errno == ENOMEM, "calloc (%zx, %zx), errno %d", count, size, errno);
      errno = 0;
      CHECK(!opaque(reallocarray(NULL, count, size)) && errno == ENOMEM, "reallocarray (NULL, %zx, %zx)", count, size);
      errno = 0;
      CHECK(!opaque(reallocarray(kept, count, size)) && errno == ENOMEM, "reallocarray (%zx, %zx)", count, size);
    }
  for (int index = 0; index < 50; index++) CHECK(kept[index] == 9, "a reallocarray that failed has changed the block");
  kept = reallocarray(kept, 10, 20);
  CHECK(kept && kept[49] == 9 && malloc_usable_size(kept) >= 200, "reallocarray");
  free(kept);
}

void case_errno(void) {
  static const size_t sizes[] = {0, 10, 100, 5000, 200000, 4 << 20, 70 << 20};
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++)
    for (int round = 0; round < 3; round++) {
      size_t size = sizes[index];
      errno = 77;
      void *blocks[4] = {malloc(size), calloc(1, size), aligned_alloc(256, size), NULL};
      CHECK(posix_memalign(&blocks[3], 64, size) == 0, "posix_memalign");
      blocks[0] = realloc(blocks[0], size * 2 + 1);
      blocks[1] = realloc(blocks[1], size / 2 + 1);
      CHECK(blocks[0] && blocks[1] && blocks[2] && errno == 77, "success sets errno to %d, size %zu", errno, size);
      for (int block = 0; block < 3; block++) free(blocks[block]);
      CHECK(realloc(blocks[3], 0) == NULL, "realloc (p, 0)");
      CHECK(errno == 77, "release sets errno to %d, size %zu", errno, size);
    }
}

// Sizes of 0.
void case_zero(void) {
  enum { count = 500 };
  static void *blocks[count * 4];
  for (int index = 0; index < count; index++) {
    blocks[index * 4] = malloc(opaque_size(0));
    blocks[index * 4 + 1] = calloc(0, opaque_size(8));
    blocks[index * 4 + 2] = aligned_alloc(32, opaque_size(0));
    CHECK(posix_memalign(&blocks[index * 4 + 3], 64, 0) == 0, "posix_memalign of 0");
  }
  for (int index = 0; index < count * 4; index++) {
    CHECK(blocks[index], "block %d of 0 bytes", index);
    memset(opaque(blocks[index]), 1, malloc_usable_size(blocks[index]));
    for (int other = 0; other < index; other++) CHECK(blocks[index] != blocks[other], "%d is %d", index, other);
  }
  for (int index = 0; index < count * 4; index++) free(blocks[index]);
  // realloc (p, 0) releases: 300,000 times 64 KiB would not fit.
  struct rlimit limit = {16ul << 30, RLIM_INFINITY};
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
  for (int index = 0; index < 300000; index++) {
    char *block = malloc(65536);
    CHECK(block, "round %d", index);
    *(volatile char *)block = 1;
    CHECK(realloc(block, opaque_size(0)) == NULL, "realloc (p, 0) is not NULL");
  }
}

// Zeros from memory that was written and released before.
void case_calloc(void) {
  for (size_t size = 16; size <= (is_short() ? 3 << 20 : 8 << 20); size = size * (is_short() ? 8 : 5) / 4 + 3)
    for (int round = 0; round < 4; round++) {
      unsigned char *blocks[4];
      for (int block = 0; block < 4; block++) {
        blocks[block] = round % 2 ? aligned_alloc(64, size) : malloc(size);
        CHECK(blocks[block], "%zu", size);
        memset(opaque(blocks[block]), 0xee, malloc_usable_size(blocks[block]));
      }
      for (int block = 0; block < 4; block++) free(blocks[block]);
      for (int block = 0; block < 4; block++) {
        size_t count = block % 2 ? 1 : 8;
        blocks[block] = calloc(count, (size + count - 1) / count);
        CHECK(blocks[block], "%zu", size);
        // Each byte is as the one before it, and the first is zero.
        if (blocks[block][0] != 0 || memcmp(blocks[block], blocks[block] + 1, size - 1) != 0)
          for (size_t index = 0; index < size; index++)
            CHECK(blocks[block][index] == 0, "calloc of %zu: byte %zu is %d", size, index, blocks[block][index]);
        memset(opaque(blocks[block]), 0xdd, malloc_usable_size(blocks[block]));
      }
      for (int block = 0; block < 4; block++) free(blocks[block]);
    }
}

// Contents up to the smaller size, for growth and shrinking across all sizes.
void case_realloc(void) {
  static const size_t sizes[] = {1,     10,    100,     1000,    10000,   100000,  130000, 140000, 1 << 20, 3 << 20,
                                 6 << 20,  5 << 20, 200000,  131072,  5000,    4097,    4096,   4095,   33,      16,  0};
  enum { count = sizeof sizes / sizeof sizes[0] - 1 };
  // What the blocks are filled with, each from another place on: copied and compared at once, since these are many bytes.
  static unsigned char text[(6 << 20) + 64 * count];
  for (size_t index = 0; index < sizeof text; index++) text[index] = pattern(0, index);
  for (size_t from = 0; from < count; from++)
    for (size_t to = 0; to < count; to++)
      for (int aligned = 0; aligned < 2; aligned++) {
        unsigned char *block = aligned ? aligned_alloc(128, sizes[from]) : malloc(sizes[from]);
        CHECK(block, "%zu", sizes[from]);
        const unsigned char *written = text + from * 37;
        memcpy(opaque(block), written, sizes[from]);
        block = realloc(block, sizes[to]);
        size_t kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
        CHECK(block && malloc_usable_size(block) >= sizes[to], "%zu to %zu", sizes[from], sizes[to]);
        if (memcmp(opaque(block), written, kept) != 0)
          for (size_t index = 0; index < kept; index++)
            CHECK(block[index] == written[index], "%zu to %zu: byte %zu", sizes[from], sizes[to], index);
        block[sizes[to] - 1] = 1;
        free(block);
      }
}

// malloc_stats in a thread that has been cancelled: it goes on, and writes all there is.
static void *ask_for_statistics(void *ended) {
  CHECK(pthread_cancel(pthread_self()) == 0, "pthread_cancel");
  malloc_stats();
  *(volatile int *)ended = 1;
  pthread_testcancel();
  return NULL;
}

// glibc's tuning answers, and touches no heap; its statistics are the allocator's.
void case_statistics(void) {
  static const int known[] = {
      M_MXFAST, M_NLBLKS, M_GRAIN, M_KEEP, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_CHECK_ACTION, M_PERTURB,
      M_ARENA_TEST, M_ARENA_MAX,
  };
  static const int values[] = {0, 1, 64, 160, 1 << 20, INT_MAX, -1};
  for (int parameter = -100; parameter < 100; parameter++) {
    int is_known = 0;
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++) is_known |= parameter == known[index];
    for (size_t index = 0; index < sizeof values / sizeof values[0]; index++) {
      int value = values[index], refused = parameter == M_MXFAST && (value < 0 || value > 160);
      CHECK(mallopt(parameter, value) == (is_known && !refused), "mallopt (%d, %d)", parameter, value);
    }
  }
  struct mallinfo2 before = mallinfo2();
  enum { count = 1000, size = 4000 };
  static void *blocks[count];
  size_t expected = 0;
  for (int index = 0; index < count; index++) {
    blocks[index] = malloc(size);
    memset(blocks[index], 1, size);
    expected += malloc_usable_size(blocks[index]);
  }
  struct mallinfo2 full = mallinfo2();
  CHECK(full.uordblks - before.uordblks >= expected, "%zu bytes live", full.uordblks - before.uordblks);
  // glibc's words of overhead, what a size class has beyond the usable size, and what the first call allocates.
  CHECK(full.uordblks - before.uordblks <= expected + count * 128 + 4096, "%zu bytes live", full.uordblks - before.uordblks);
  CHECK(full.arena == full.uordblks + full.fordblks, "arena %zu", full.arena);
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  struct mallinfo narrow = mallinfo();
#pragma clang diagnostic pop
  CHECK(narrow.uordblks == (int)full.uordblks && narrow.arena == (int)full.arena, "mallinfo");
  for (int index = 0; index < count; index++) free(blocks[index]);
  struct mallinfo2 empty = mallinfo2();
  CHECK(empty.uordblks <= before.uordblks + 8192, "%zu bytes stay live", empty.uordblks - before.uordblks);

  static char text[1 << 16];
  FILE *stream = fmemopen(text, sizeof text, "w");
  errno = 0;
  CHECK(malloc_info(1, stream) == -1 && errno == EINVAL, "malloc_info with options");
  CHECK(malloc_info(0, stream) == 0, "malloc_info");
  fclose(stream);
  CHECK(strstr(text, "<malloc version=\"1\">") && strstr(text, "</malloc>"), "malloc_info: %s", text);
  const char *current = strstr(text, "<system type=\"current\" size=\"");
  CHECK(current && strtoul(current + 29, NULL, 10) >= empty.uordblks / 2, "malloc_info: %s", text);
  pthread_t thread;
  void *result = NULL;
  int ended = 0;
  int error = dup(STDERR_FILENO), ends[2];
  CHECK(error >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO, "pipe");
  int is_created = pthread_create(&thread, NULL, ask_for_statistics, &ended) == 0;
  int is_joined = is_created && pthread_join(thread, &result) == 0;
  dup2(error, STDERR_FILENO);
  close(error);
  close(ends[1]);
  CHECK(is_joined && result == PTHREAD_CANCELED, "the thread is cancelled");
  CHECK(ended, "malloc_stats is a cancellation point");
  memset(text, 0, sizeof text);
  CHECK(read(ends[0], text, sizeof text - 1) > 0, "malloc_stats writes nothing");
  close(ends[0]);
  fputs(text, stderr);
  // glibc's lines, for programs that look for them.
  CHECK(strstr(text, "\nsystem bytes     = ") && strstr(text, "\nmax mmap bytes   = "), "malloc_stats: %s", text);
  const char *in_use = strstr(text, "\nin use bytes     = ");
  CHECK(in_use && strtoul(in_use + 20, NULL, 10) >= empty.uordblks / 2, "malloc_stats: %s", text);
}

// Over an allocator that has no statistics.
void case_no_statistics(void) {
  struct mallinfo2 all = mallinfo2();
  CHECK(all.arena == 0 && all.uordblks == 0, "mallinfo2");
  char text[1000] = "";
  FILE *stream = fmemopen(text, sizeof text, "w");
  CHECK(malloc_info(0, stream) == 0, "malloc_info");
  fclose(stream);
  CHECK(strstr(text, "<malloc version=\"1\">") && strstr(text, "</malloc>"), "malloc_info: %s", text);
  malloc_stats();
}

// The resident memory of this process in bytes, read without an allocation.
static long resident_bytes(void) {
  char text[256] = "";
  int file = open("/proc/self/statm", O_RDONLY);
  CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0, "/proc/self/statm");
  close(file);
  long size, resident;
  CHECK(sscanf(text, "%ld %ld", &size, &resident) == 2, "%s", text);
  return resident * (long)page_size();
}

// Trims after a peak of 64 MiB, of which some blocks stay, and returns what malloc_trim returned: by how many bytes resident
// memory has grown before, and after.
static int trim_after_peak(long *released, long *trimmed) {
  enum { most = 200000 };
  static unsigned char *blocks[most];
  static size_t sizes[most];
  memset(blocks, 1, sizeof blocks);
  memset(sizes, 1, sizeof sizes);
  long before = resident_bytes();
  size_t count = 0;
  for (size_t total = 0; total < 64 << 20; count++) {
    CHECK(count < most, "%zu blocks", count);
    sizes[count] = count % 8 ? 16 + count * 7919 % 1008 : 4096 + count * 7919 % 60000;
    blocks[count] = opaque(malloc(sizes[count]));
    CHECK(blocks[count], "%zu bytes", sizes[count]);
    memset(blocks[count], (int)pattern(count, 0), sizes[count]);
    total += sizes[count];
  }
  for (size_t index = 0; index < count; index++)
    if (index % 4096) free(blocks[index]);
  *released = resident_bytes() - before;
  int result = malloc_trim(0);
  *trimmed = resident_bytes() - before;
  for (size_t index = 0; index < count; index += 4096) {
    for (size_t byte = 0; byte < sizes[index]; byte++)
      CHECK(blocks[index][byte] == pattern(index, 0), "malloc_trim has changed byte %zu of block %zu", byte, index);
    free(blocks[index]);
  }
  return result;
}

// malloc_trim over an allocator that can give memory back.
void case_trim(void) {
  long released, trimmed;
  CHECK(trim_after_peak(&released, &trimmed) == 1, "malloc_trim");
  // Some goes back by itself.
  CHECK(released >= 8 << 20, "%ld bytes are kept that malloc_trim could give back", released);
  CHECK(trimmed <= 16 << 20 && trimmed <= released - (4 << 20), "of %ld bytes, %ld are left", released, trimmed);
  CHECK(malloc_trim(1 << 20) == 1, "malloc_trim with a padding");
}

// Over one that cannot: it says so.
void case_no_trim(void) {
  long released, trimmed;
  CHECK(trim_after_peak(&released, &trimmed) == 0, "malloc_trim");
}

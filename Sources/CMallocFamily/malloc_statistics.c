// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// glibc's statistics, answered by the allocator of this artifact. glibc's own would be those of its own heap, which is not the
// one in use. What the allocator cannot tell is 0 here, since these have no other word for it.

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CAllocatorSupport.h"
#include "CMallocFamily.h"
#include "shim.h"

#ifndef ALLOCATOR_SANITIZER

static struct allocator_statistics read_statistics(void) {
  int error = errno;
  struct allocator_statistics statistics;
  __swift_malloc_statistics(&statistics);
  errno = error;
  return statistics;
}

static size_t known(int64_t value) { return value < 0 ? 0 : (size_t)value; }

// mallinfo(3). All live bytes are told as `uordblks`, those of blocks with a mapping of their own too, so `hblks` and `hblkhd`
// are 0; `arena` is the sum of these and of what is free, and `keepcost` what malloc_trim(3) would give back.

struct mallinfo2 mallinfo2(void) {
  struct allocator_statistics statistics = read_statistics();
  struct mallinfo2 info = {0};
  info.uordblks = known(statistics.live_bytes);
  info.fordblks = known(statistics.free_bytes);
  info.arena = info.uordblks + info.fordblks;
  info.keepcost = known(statistics.releasable_bytes);
  return info;
}

// Its numbers wrap around where they do not fit, as the man page says of glibc's.
struct mallinfo mallinfo(void) {
  struct mallinfo2 info = mallinfo2();
  return (struct mallinfo){
      .arena = (int)info.arena,
      .uordblks = (int)info.uordblks,
      .fordblks = (int)info.fordblks,
      .keepcost = (int)info.keepcost,
  };
}

// malloc_stats(3) prints to standard error, glibc's lines last: programs look for them. It is no cancellation point
// (POSIX.1-2017, 2.9.5.2, lists all that may be), so the system call is made by itself: write, and so dprintf, is one. Nothing
// can be done about a message that cannot be written.

static size_t add_number(char *text, size_t length, size_t capacity, const char *name, int64_t value) {
  if (value < 0 || length >= capacity) return length;
  return length + snprintf(text + length, capacity - length, "malloc: %-16s %14lld\n", name, (long long)value);
}

void malloc_stats(void) {
  struct allocator_statistics statistics = read_statistics();
  char text[1024];
  size_t length = snprintf(text, sizeof text, "malloc: allocator %.64s\n", __swift_malloc_name());
  length = add_number(text, length, sizeof text, "live bytes", statistics.live_bytes);
  length = add_number(text, length, sizeof text, "active bytes", statistics.active_bytes);
  length = add_number(text, length, sizeof text, "resident bytes", statistics.resident_bytes);
  length = add_number(text, length, sizeof text, "mapped bytes", statistics.mapped_bytes);
  length = add_number(text, length, sizeof text, "metadata bytes", statistics.metadata_bytes);
  length = add_number(text, length, sizeof text, "free bytes", statistics.free_bytes);
  length = add_number(text, length, sizeof text, "releasable bytes", statistics.releasable_bytes);
  length = add_number(text, length, sizeof text, "live blocks", statistics.live_blocks);
  length = add_number(text, length, sizeof text, "allocations", statistics.allocations);
  length = add_number(text, length, sizeof text, "deallocations", statistics.deallocations);
  if (statistics.live_bytes >= 0 && length < sizeof text) {
    // As in mallinfo2, all blocks are in here.
    size_t live = known(statistics.live_bytes), all = live + known(statistics.free_bytes);
    length += snprintf(text + length, sizeof text - length,
                       "Total (incl. mmap):\nsystem bytes     = %10zu\nin use bytes     = %10zu\n"
                       "max mmap regions = %10d\nmax mmap bytes   = %10d\n",
                       all, live, 0, 0);
  }
  syscall(SYS_write, STDERR_FILENO, text, length < sizeof text ? length : sizeof text - 1);
}

// malloc_info(3): -1 and EINVAL for options other than 0. One heap, by glibc's elements as far as they fit; of each size class
// the free blocks.
int malloc_info(int options, FILE *stream) {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  struct allocator_size_class classes[128];
  size_t class_count = __swift_malloc_size_classes(classes, sizeof classes / sizeof classes[0]);
  struct allocator_statistics statistics = read_statistics();
  size_t live = known(statistics.live_bytes), free_bytes = known(statistics.free_bytes), blocks = 0;
  size_t mapped = statistics.mapped_bytes < 0 ? live + free_bytes : (size_t)statistics.mapped_bytes;

  fprintf(stream, "<malloc version=\"1\">\n<allocator name=\"%s\"/>\n<heap nr=\"0\">\n<sizes>\n", __swift_malloc_name());
  for (size_t index = 0; index < class_count; index++) {
    size_t size = known(classes[index].block_size), count = known(classes[index].free_blocks);
    blocks += count;
    if (count > 0)
      fprintf(stream, "  <size from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\"/>\n", size, size, size * count, count);
  }
  fprintf(stream, "</sizes>\n");
  for (int heap = 0; heap < 2; heap++) {
    fprintf(stream, "<total type=\"fast\" count=\"0\" size=\"0\"/>\n<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n", blocks,
            free_bytes);
    if (heap == 1) fprintf(stream, "<total type=\"mmap\" count=\"0\" size=\"0\"/>\n");
    fprintf(stream, "<system type=\"current\" size=\"%zu\"/>\n<aspace type=\"total\" size=\"%zu\"/>\n", live + free_bytes, mapped);
    if (heap == 0) fprintf(stream, "</heap>\n");
  }
  return fprintf(stream, "</malloc>\n") < 0 ? -1 : 0;
}

#endif

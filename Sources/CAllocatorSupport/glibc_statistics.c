// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// glibc's numbers, read from the XML text of malloc_info(3): the only interface that tells how large the free chunks are, of
// which it depends how much a trim gives back. mallinfo2(3) walks the same lists and tells less.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CAllocatorSupport.h"
#include "glibc_function.h"

struct reading {
  // The line that is being read; none of interest is longer.
  char line[256];
  size_t length;

  bool in_heap;
  int heap_number;
  // Of the heap: bytes of free chunks with a size, and its free bytes altogether. What is missing is the top chunk.
  int64_t heap_listed, heap_rest;
  // Its chunks with a size, and its fast ones, which a trim first joins with their free neighbours.
  int64_t heap_count, heap_fast, heap_fast_count, heap_system;
  double heap_releasable, releasable;

  // Of all heaps.
  int64_t fast, rest, flags, system, address_space, mapped, mapped_count;

  struct allocator_size_class *classes;
  size_t class_capacity, class_count;
};

// `name="123"` in the line.
static int64_t number(const char *line, const char *name) {
  const char *found = strstr(line, name);
  return found ? strtoll(found + strlen(name), NULL, 10) : 0;
}

// e^−x of an x that is not negative, to six digits. The library of mathematical functions is not one that every process has.
static double falling(double x) {
  if (x > 40) return 0;
  double result = 1, term = 1, rest = x - (int)x;
  for (int n = 1; n < 10; n++) result += term *= -rest / n;
  for (int n = (int)x; n > 0; n--) result *= 0.36787944117144233;
  return result;
}

// Bytes of whole pages that lie in `count` free chunks of from `least` to `most` bytes, `total` together. malloc_trim(3) gives
// those back, without the chunk's own six words at its start. A run of n bytes that begins anywhere holds n / page − 1 pages on
// average. The list of chunks that are not sorted yet has them of all sizes: where blocks die at random, runs of free ones are
// distributed geometrically, so that total × e^(−page / mean) is what lies beyond a page in each.
static double whole_pages(double least, double most, double total, double count) {
  double page = (double)sysconf(_SC_PAGESIZE), lost = page + 48;
  if (count <= 0 || most < lost) return 0;
  if (least >= lost) return total - count * lost;
  double mean = total / count;
  double beyond = total * falling(lost / mean);
  // No more than if all but one were of the least size.
  double bound = total - (count - 1) * least - lost;
  return beyond < bound ? beyond : bound > 0 ? bound : 0;
}

// Adds free chunks of a size to those of other heaps; the classes stay in the order of their sizes.
static void add_class(struct reading *reading, int64_t size, int64_t count) {
  size_t index = reading->class_count;
  while (index > 0 && reading->classes[index - 1].block_size >= size) index--;
  struct allocator_size_class *entry = reading->classes + index;
  if (index < reading->class_count && entry->block_size == size) {
    entry->free_blocks += count;
  } else if (reading->class_count < reading->class_capacity) {
    memmove(entry + 1, entry, (reading->class_count - index) * sizeof *entry);
    *entry = (struct allocator_size_class){size, ALLOCATOR_UNKNOWN, count, ALLOCATOR_UNKNOWN};
    reading->class_count++;
  }
}

static void read_chunks(struct reading *reading, const char *line, bool is_sorted) {
  int64_t from = number(line, "from=\""), to = number(line, "to=\"");
  int64_t total = number(line, "total=\""), count = number(line, "count=\"");
  // Fast chunks are told by the range of requests that end in the size; all others with the flag in their size word.
  bool is_fast = to == from + 15 && total == count * to;
  if (!is_fast) {
    reading->flags += count;
    reading->heap_listed += total;
    reading->heap_count += count;
    reading->heap_releasable += whole_pages((double)from, (double)to, (double)(total - count), (double)count);
  }
  // A chunk's block is its size without one word.
  if (is_sorted && (is_fast || from == to)) add_class(reading, (to & ~(int64_t)7) - 8, count);
}

// A fast chunk whose two neighbours are free makes one chunk of three, one whose neighbours are live is one more. How many have
// free neighbours, the free part of the heap tells.
static double releasable_of_heap(const struct reading *reading) {
  double total = (double)(reading->heap_listed + reading->heap_fast), count = (double)reading->heap_count;
  double free_part = reading->heap_system > 0 ? (double)(reading->heap_rest + reading->heap_fast) / reading->heap_system : 0;
  double joined = count + reading->heap_fast_count * (1 - 2 * free_part);
  if (joined > 0.9 * count) return reading->heap_releasable;
  return whole_pages(0, total, total, joined < 1 ? 1 : joined);
}

static void read_line(struct reading *reading, const char *line) {
  if (strncmp(line, "<heap ", 6) == 0) {
    reading->in_heap = true;
    reading->heap_number = (int)number(line, "nr=\"");
    reading->heap_listed = reading->heap_rest = reading->heap_count = reading->heap_system = 0;
    reading->heap_fast = reading->heap_fast_count = 0;
    reading->heap_releasable = 0;
  } else if (strncmp(line, "</heap>", 7) == 0) {
    // malloc_trim shortens the main heap by its top chunk; those of the others stay.
    int64_t top = reading->heap_rest - reading->heap_listed;
    if (reading->heap_number == 0 && top > 4096) reading->releasable += (double)(top - 4096);
    reading->releasable += releasable_of_heap(reading);
    reading->in_heap = false;
  } else if (strstr(line, "<size from=")) {
    read_chunks(reading, line, true);
  } else if (strstr(line, "<unsorted from=")) {
    read_chunks(reading, line, false);
  } else if (strncmp(line, "<total type=\"rest\"", 18) == 0) {
    if (reading->in_heap) reading->heap_rest = number(line, " size=\""); else reading->rest = number(line, " size=\"");
  } else if (reading->in_heap && strncmp(line, "<total type=\"fast\"", 18) == 0) {
    reading->heap_fast = number(line, " size=\"");
    reading->heap_fast_count = number(line, " count=\"");
  } else if (reading->in_heap && strncmp(line, "<system type=\"current\"", 22) == 0) {
    reading->heap_system = number(line, " size=\"");
  } else if (reading->in_heap) {
    return;
  } else if (strncmp(line, "<total type=\"fast\"", 18) == 0) {
    reading->fast = number(line, " size=\"");
  } else if (strncmp(line, "<total type=\"mmap\"", 18) == 0) {
    reading->mapped = number(line, " size=\"");
    reading->mapped_count = number(line, " count=\"");
  } else if (strncmp(line, "<system type=\"current\"", 22) == 0) {
    reading->system = number(line, " size=\"");
  } else if (strncmp(line, "<aspace type=\"total\"", 20) == 0) {
    reading->address_space = number(line, " size=\"");
  }
}

static ssize_t read_text(void *cookie, const char *text, size_t size) {
  struct reading *reading = *(struct reading **)cookie;
  for (size_t index = 0; index < size; index++) {
    if (text[index] == '\n') {
      reading->line[reading->length] = 0;
      const char *line = reading->line;
      read_line(reading, line + strspn(line, " "));
      reading->length = 0;
    } else if (reading->length < sizeof reading->line - 1) {
      reading->line[reading->length++] = text[index];
    }
  }
  return (ssize_t)size;
}

static FILE *open_stream(struct reading **reading) {
  FILE *stream = fopencookie(reading, "w", (cookie_io_functions_t){.write = read_text});
  // Without a buffer of its own, which would be allocated.
  if (stream) setvbuf(stream, NULL, _IONBF, 0);
  return stream;
}

static bool write_info(FILE *stream) {
  static void *found;
  int (*info)(int, FILE *) = (int (*)(int, FILE *))libc_function(&found, "malloc_info");
  // Linked statically, glibc's allocator and the name go together.
  return stream && (info ? info : malloc_info)(0, stream) == 0;
}

// The stream is made once and kept, so that reading allocates nothing. Whoever finds it taken, by another thread or, in a child,
// by a thread of the parent, uses one of his own.
static bool read_glibc(struct reading *reading) {
  static FILE *kept;
  static struct reading *kept_reading;
  static int is_taken;
  if (__atomic_exchange_n(&is_taken, 1, __ATOMIC_ACQUIRE)) {
    FILE *stream = open_stream(&reading);
    bool is_read = write_info(stream);
    if (stream) fclose(stream);
    return is_read;
  }
  kept_reading = reading;
  if (!kept) kept = open_stream(&kept_reading);
  bool is_read = write_info(kept);
  __atomic_store_n(&is_taken, 0, __ATOMIC_RELEASE);
  return is_read;
}

void allocator_glibc_statistics(struct allocator_statistics *statistics) {
  int error = allocator_error_number();
  memset(statistics, 0xff, sizeof *statistics);
  struct reading reading = {0};
  if (read_glibc(&reading)) {
    int64_t free_bytes = reading.fast + reading.rest - reading.flags;
    statistics->live_bytes = reading.system - free_bytes + reading.mapped;
    statistics->mapped_bytes = reading.address_space + reading.mapped;
    statistics->free_bytes = free_bytes;
    statistics->releasable_bytes = (int64_t)reading.releasable;
  }
  allocator_set_error_number(error);
}

size_t allocator_glibc_size_classes(struct allocator_size_class *classes, size_t capacity) {
  int error = allocator_error_number();
  struct reading reading = {.classes = classes, .class_capacity = capacity};
  read_glibc(&reading);
  allocator_set_error_number(error);
  return reading.class_count;
}

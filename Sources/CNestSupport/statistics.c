// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "CNestSupport.h"

// Visits the chunks that a part of the map names. Returns how many.
static long visit_part(struct nest_totals *totals, size_t first, size_t end) {
  long visited = 0;
  for (size_t index = first; index < end; index++) {
    if (index % 8 == 0 && end - index >= 8) {
      uint64_t eight;
      memcpy(&eight, nest_chunk_map + index, 8);
      if (eight == 0) {
        index += 7;
        continue;
      }
    }
    if (__atomic_load_n(&nest_chunk_map[index], __ATOMIC_RELAXED)) {
      nest_add_chunk(totals, (uintptr_t)index << NEST_CHUNK_SHIFT);
      visited++;
    }
  }
  return visited;
}

void nest_visit_chunks(struct nest_totals *totals, long expected) {
  int error = errno;
  // Of the map's 32 MiB, the pages that are in memory: a read of the others would bring them there. The map begins on a page, or
  // not; the pages of its borders are asked for whole.
  size_t page = nest_page_size();
  uintptr_t map = (uintptr_t)nest_chunk_map, start = map & ~(page - 1);
  size_t size = sizeof nest_chunk_map, pages = (map + size - start + page - 1) / page;
  unsigned char resident[sizeof nest_chunk_map / 4096 + 1];
  long visited = 0;
  int is_known = pages <= sizeof resident && mincore((void *)start, pages * page, resident) == 0;
  for (size_t index = 0; is_known && index < pages; index++) {
    if (!(resident[index] & 1)) continue;
    uintptr_t from = start + index * page, to = from + page;
    if (from < map) from = map;
    if (to > map + size) to = map + size;
    visited += visit_part(totals, from - map, to - map);
  }
  // What has been swapped out is not in memory: all of it is read then, anew.
  if (!is_known || visited < expected) {
    memset(totals, 0, sizeof *totals);
    visit_part(totals, 0, size);
  }
  errno = error;
}

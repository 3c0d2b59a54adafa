// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <link.h>

#include "CAllocatorInstallation.h"

struct visit {
  void (*body)(const struct allocator_image *image, void *context);
  void *context;
};

static int visit_image(struct dl_phdr_info *info, size_t size, void *pointer) {
  struct visit *visit = pointer;
  struct allocator_image image = {info->dlpi_addr, info->dlpi_name, info->dlpi_phdr, info->dlpi_phnum};
  visit->body(&image, visit->context);
  return 0;
}

void allocator_for_each_image(void (*body)(const struct allocator_image *image, void *context), void *context) {
  struct visit visit = {body, context};
  dl_iterate_phdr(visit_image, &visit);
}

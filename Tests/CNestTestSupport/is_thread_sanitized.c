// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#include "CNestTestSupport.h"

// Not in the header: what imports that does not tell that the sanitizer is there.
int is_thread_sanitized(void) {
#if __has_feature(thread_sanitizer)
  return 1;
#else
  return 0;
#endif
}

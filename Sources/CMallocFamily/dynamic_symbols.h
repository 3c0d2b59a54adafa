// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_MALLOC_FAMILY_DYNAMIC_SYMBOLS_H
#define C_MALLOC_FAMILY_DYNAMIC_SYMBOLS_H

#include <stdbool.h>

// Takes functions that this image exports out of its dynamic symbol table, so that images which are loaded from now on get
// their next definition, as if this image had none. Who has found them already keeps them. `names` ends with NULL; a name that is
// not exported is passed over. Returns false, and changes nothing, where the table cannot be written: it shares a segment
// with code, or the kernel refuses.
//
// For a constructor: nobody else may be writing. Allocates nothing. Two system calls, and a page that becomes the process's own.
bool withdraw_exports(const char *const *names);

#endif

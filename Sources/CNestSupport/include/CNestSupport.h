// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// What NestAllocator needs and Swift cannot say: storage that exists before any code has run, thread-local words, system
// calls, and the callbacks of the thread library. No policy is here.

#ifndef C_NEST_SUPPORT_H
#define C_NEST_SUPPORT_H

#include "nest_sealed.h"
#include "nest_system.h"
#include "nest_storage.h"
#include "nest_threads.h"
#include "nest_hardened.h"
#include "nest_sampling.h"

#endif

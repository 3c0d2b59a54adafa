// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

#ifndef C_CASES_H
#define C_CASES_H

// Small programs about malloc, by name. Each returns if all is well; otherwise it says what was wrong and exits with 1.

// Runs the case. Exits with 2 if there is none of that name.
void run_case(const char *name);

#endif

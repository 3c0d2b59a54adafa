// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CCases

// Runs the cases in C that are named, in an executable that has Nest in it.

for name in CommandLine.arguments.dropFirst() { run_case(name) }

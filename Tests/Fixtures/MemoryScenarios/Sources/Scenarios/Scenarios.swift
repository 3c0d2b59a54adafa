// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// Runs what the first argument names.
public func runScenario() {
  switch CommandLine.arguments.dropFirst().first {
  case "live-bytes": printLiveBytes()
  default: exit(EX_USAGE)
  }
}

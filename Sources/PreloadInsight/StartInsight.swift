// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import CInsightPreload
import Glibc

/// Has the process answer questions about its memory. A line on standard error says why where that does not work.
@_cdecl("swift_allocators_start_insight")
func startInsight() {
  guard case .notListening(let reason) = Insight.start() else { return }
  let line = Array("swift-allocators: nobody can ask process \(getpid()) about its memory: \(reason)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

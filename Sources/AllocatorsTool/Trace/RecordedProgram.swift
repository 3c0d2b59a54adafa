// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorTrace
import Foundation

/// Watches whether the recorded process is still the program that loaded the library. One that it becomes may be static, or setuid, and
/// then never say so.
struct RecordedProgram {
  /// Programs that have loaded the library, and the file of the last one.
  private var programs: UInt32 = 0
  private var file = ""
  private var otherSince: ContinuousClock.Instant?

  /// Whether it has become another program, and stayed that for longer than a program takes to load the library.
  private(set) var isOther = false

  /// Looks; two system calls at most.
  mutating func look(_ ring: OpaquePointer) {
    let process = allocator_trace_ring_process(ring)
    let now = allocator_trace_ring_programs(ring)
    guard process > 0, let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    else { return }
    if now != programs || path == file {
      (programs, file, otherSince, isOther) = (now, path, nil, false)
    } else if let since = otherSince {
      isOther = ContinuousClock.now - since > .milliseconds(300)
    } else {
      otherSince = .now
    }
  }
}

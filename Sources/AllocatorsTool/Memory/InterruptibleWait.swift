// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Foundation
import Glibc

/// A wait that Ctrl-C ends the first time, and the command the second.
enum InterruptibleWait {
  nonisolated(unsafe) private static var flag: sig_atomic_t = 0

  /// From now on, Ctrl-C ends no more than the wait.
  static func expect() {
    flag = 0
    signal(SIGINT) { _ in
      InterruptibleWait.flag = 1
      signal(SIGINT, SIG_DFL)
    }
  }

  /// Waits so many seconds, or until Ctrl-C.
  ///
  /// - Throws: ``ToolFailure`` where the process ends meanwhile.
  static func wait(_ seconds: Double, for processID: Int) throws(ToolFailure) {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end && flag == 0 {
      usleep(UInt32(min(max(end.timeIntervalSinceNow, 0), 0.05) * 1_000_000))
      guard ProcessMemory(ofProcess: processID) != nil else {
        throw ToolFailure("process \(processID) has ended meanwhile", .noInput)
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

@testable import AllocatorInsight

/// A control group below this process's own, whose processes read a file that does not fit into it, again and again: they wait for
/// memory nearly all the time.
final class ThrashingGroup {
  private let folder: String
  private let file = FileManager.default.temporaryDirectory.appendingPathComponent("thrashing-\(UUID().uuidString)")
    .path

  /// Makes the group, without processes; skips the test where that is not allowed.
  init() throws {
    let own = try XCTUnwrap(CgroupLocation.own, "this process is in no control group")
    folder = "\(own.folders[0])/thrashing-\(getpid())"
    let isFirst = own.version == 1
    if !isFirst {
      try? "+memory".write(toFile: "\(own.folders[0])/cgroup.subtree_control", atomically: false, encoding: .utf8)
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      try "4194304".write(
        toFile: "\(folder)/\(isFirst ? "memory.limit_in_bytes" : "memory.max")", atomically: false, encoding: .utf8)
    } catch {
      rmdir(folder)
      throw XCTSkip("skipped: no right to make a control group with a limit: \(error)")
    }
  }

  /// Starts the processes.
  func thrash() throws {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = [
      "-ec",
      """
      echo $$ >"$1/cgroup.procs"
      head -c 16777216 /dev/urandom >"$2"
      sync "$2"
      for reader in 1 2; do (while :; do cat "$2" >/dev/null; done) & done
      """, "sh", folder, file,
    ]
    shell.standardError = FileHandle.nullDevice
    try shell.run()
  }

  deinit {
    while let text = try? String(contentsOfFile: "\(folder)/cgroup.procs", encoding: .utf8), !text.isEmpty {
      for process in text.split(separator: "\n").compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
      usleep(10_000)
    }
    unlink(file)
    // Busy for a moment longer.
    while rmdir(folder) != 0, errno == EBUSY { usleep(10_000) }
  }
}

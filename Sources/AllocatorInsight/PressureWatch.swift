// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// Whether memory is short: the kernel's word for it (PSI, "Pressure Stall Information"), and hits of the group's limit.
struct PressureWatch {
  /// Whether anybody wants to know.
  var isWanted = false
  /// Whether memory has been short since somebody last looked.
  var hasRisen = false
  /// Ready, by POLLPRI, when tasks have waited for 150 ms within 2 s; -1 where the kernel does not tell.
  private(set) var descriptor: Int32 = -1

  private var isArmed = false
  private var lastLook = -1e9
  private var hits: Int?

  /// Arms the kernel's alarm, and looks at the counts of the group's hits, once a second at most.
  mutating func look(at now: Double) {
    if !isArmed {
      isArmed = true
      arm()
    }
    guard now - lastLook >= 1 else { return }
    lastLook = now
    guard let group = CgroupMemory.current else { return }
    let count = (group.limitHits ?? 0) + (group.highHits ?? 0)
    if let hits, count > hits { hasRisen = true }
    hits = count
    // Where there is no alarm, the average has to do.
    if descriptor < 0, let pressure = group.pressure, pressure.some10 > 7.5 { hasRisen = true }
  }

  private mutating func arm() {
    let own = CgroupLocation.own.flatMap { $0.version == 2 ? "\($0.folders[0])/memory.pressure" : nil }
    for path in [own, "/proc/pressure/memory"].compactMap({ $0 }) {
      let opened = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
      guard opened >= 0 else { continue }
      // Windows of two seconds need no privilege.
      let trigger = "some 150000 2000000"
      if write(opened, trigger, trigger.utf8.count + 1) > 0 {
        descriptor = opened
        return
      }
      close(opened)
    }
  }

  mutating func disarm() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}

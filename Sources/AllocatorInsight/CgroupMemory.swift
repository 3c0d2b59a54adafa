// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// The control group that limits a process's memory, of version 1 or 2 (kernel documentation, "Memory Resource Controller" and
/// "Control Group v2").
public struct CgroupMemory: Equatable, Sendable {
  /// 1 or 2.
  public var version: Int
  /// The folder of the group whose limit is reached first: the process's own, or one above it.
  public var folder: String
  /// Bytes that the group's processes may use; nil without a limit.
  public var limitBytes: Int?
  /// Bytes above which the kernel slows the group down and reclaims (`memory.high`, version 2); nil without.
  public var highBytes: Int?
  /// Bytes that its processes use now, with the files that the kernel keeps in memory for them.
  public var currentBytes: Int?
  /// Bytes of those that are files which have not been used of late, and go first: the kernel's "inactive_file". Read only
  /// when most of the limit is used, since it costs more than all the rest.
  public var idleFileBytes: Int?
  /// How often the limit was hit (version 2 "max", version 1 `memory.failcnt`).
  public var limitHits: Int?
  /// How often the group went above its high mark.
  public var highHits: Int?
  /// How often the kernel has killed a process of the group for it.
  public var outOfMemoryKills: Int?
  /// How long tasks had to wait for memory.
  public var pressure: Pressure?

  /// Pressure stall information (kernel documentation, "PSI"): shares of the time in per cent.
  public struct Pressure: Equatable, Sendable {
    /// Per cent of the last 10 seconds in which some task waited.
    public var some10: Double
    /// Per cent of the last minute.
    public var some60: Double
    /// Per cent of the last 10 seconds in which all of them waited.
    public var full10: Double
    /// Whether that is the whole system's, because the group has none of its own.
    public var isOfSystem: Bool
  }

  /// The share of the limit that is used, without idle files; nil where there is no limit.
  public var usedShare: Double? {
    guard let limitBytes, limitBytes > 0, let currentBytes else { return nil }
    return Double(max(currentBytes - (idleFileBytes ?? 0), 0)) / Double(limitBytes)
  }

  /// The group of this process; nil where there is none, or it cannot be read.
  public static var current: CgroupMemory? { CgroupLocation.own.flatMap { $0.read() } }

  /// The same, with idle files read from that share of the limit on.
  static func current(watchingFrom share: Double) -> CgroupMemory? {
    CgroupLocation.own.flatMap { $0.read(watchingFrom: share) }
  }

  /// The group of any process.
  public init?(ofProcess processID: Int) {
    guard let location = CgroupLocation(ofProcess: "\(processID)"), let found = location.read() else { return nil }
    self = found
  }

  init(version: Int, folder: String) {
    self.version = version
    self.folder = folder
  }
}

/// Where a process's group is.
struct CgroupLocation: Sendable {
  let version: Int
  /// The folder, and those above it up to the root.
  let folders: [String]
  let pressureOfSystem: String

  /// Found once: a process rarely moves.
  static let own = CgroupLocation(ofProcess: "self")

  /// - Parameters:
  ///   - process: a number, or "self".
  ///   - root: where the control groups are mounted.
  ///   - proc: where the processes are.
  init?(ofProcess process: String, root: String = "/sys/fs/cgroup", proc: String = "/proc") {
    guard let file = SystemFile("\(proc)/\(process)/cgroup", limit: 64 << 10) else { return nil }
    var unified: String?
    var memory: String?
    for line in file.text.split(separator: "\n") {
      // "4:memory:/a/b", "0::/a/b"; a path may hold colons.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      if parts[0] == "0" && parts[1].isEmpty { unified = parts[2] }
      if parts[1].split(separator: ",").contains("memory") { memory = parts[2] }
    }
    pressureOfSystem = "\(proc)/pressure/memory"
    if let memory {
      version = 1
      folders = Self.folders(of: memory, root: "\(root)/memory", having: "memory.usage_in_bytes")
    } else if let unified {
      version = 2
      folders = Self.folders(of: unified, root: root, having: "memory.current")
    } else {
      return nil
    }
    if folders.isEmpty { return nil }
  }

  /// The folders from `path` up to the root in which that file is. In a container the path is often that outside of it, and
  /// the group is the root itself.
  private static func folders(of path: String, root: String, having file: String) -> [String] {
    var rest = path.split(separator: "/").filter { $0 != ".." }
    var folders: [String] = []
    while true {
      let folder = ([root] + rest.map(String.init)).joined(separator: "/")
      if access("\(folder)/\(file)", R_OK) == 0 { folders.append(folder) }
      if rest.isEmpty { return folders }
      rest.removeLast()
    }
  }

  /// From a share of the limit on it is worth knowing how much of it are idle files.
  func read(watchingFrom share: Double = 0.7) -> CgroupMemory? {
    version == 1 ? readFirst(share) : readSecond(share)
  }

  // MARK: Version 1

  private func readFirst(_ watchfulShare: Double) -> CgroupMemory? {
    var group = CgroupMemory(version: 1, folder: folders[0])
    // The least of all limits up to the root. One of about 2⁶³ stands for none.
    for folder in folders {
      guard let limit = SystemFile("\(folder)/memory.limit_in_bytes")?.number, limit < 1 << 60 else { continue }
      if limit < group.limitBytes ?? Int.max {
        group.limitBytes = limit
        group.folder = folder
      }
    }
    let folder = group.folder
    group.currentBytes = SystemFile("\(folder)/memory.usage_in_bytes")?.number
    guard group.currentBytes != nil else { return nil }
    group.limitHits = SystemFile("\(folder)/memory.failcnt")?.number
    group.outOfMemoryKills = SystemFile("\(folder)/memory.oom_control")?.number(named: "oom_kill")
    if group.usedShare ?? 0 > watchfulShare {
      group.idleFileBytes = SystemFile("\(folder)/memory.stat")?.number(named: "total_inactive_file")
    }
    group.pressure = SystemFile(pressureOfSystem).flatMap { CgroupMemory.Pressure($0, isOfSystem: true) }
    return group
  }

  // MARK: Version 2

  private func readSecond(_ watchfulShare: Double) -> CgroupMemory? {
    var group = CgroupMemory(version: 2, folder: folders[0])
    for folder in folders {
      if let limit = SystemFile("\(folder)/memory.max")?.number, limit < group.limitBytes ?? Int.max {
        group.limitBytes = limit
        group.folder = folder
      }
    }
    let folder = group.folder
    group.currentBytes = SystemFile("\(folder)/memory.current")?.number
    guard group.currentBytes != nil else { return nil }
    group.highBytes = SystemFile("\(folder)/memory.high")?.number
    SystemFile("\(folder)/memory.events")?.forEachNumber { name, value in
      if name.elementsEqual("max") {
        group.limitHits = value
      } else if name.elementsEqual("high") {
        group.highHits = value
      } else if name.elementsEqual("oom_kill") {
        group.outOfMemoryKills = value
      }
    }
    if group.usedShare ?? 0 > watchfulShare {
      group.idleFileBytes = SystemFile("\(folder)/memory.stat")?.number(named: "inactive_file")
    }
    group.pressure =
      SystemFile("\(folder)/memory.pressure").flatMap { CgroupMemory.Pressure($0, isOfSystem: false) }
      ?? SystemFile(pressureOfSystem).flatMap { CgroupMemory.Pressure($0, isOfSystem: true) }
    return group
  }
}

extension CgroupMemory.Pressure {
  /// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same with "full".
  init?(_ file: SystemFile, isOfSystem: Bool) {
    var values: [String: Double] = [:]
    for line in file.text.split(separator: "\n") {
      let words = line.split(separator: " ")
      for word in words.dropFirst() {
        let parts = word.split(separator: "=")
        if parts.count == 2, let value = Double(parts[1]), value.isFinite { values["\(words[0]) \(parts[0])"] = value }
      }
    }
    guard let some10 = values["some avg10"], let some60 = values["some avg60"] else { return nil }
    self.init(some10: some10, some60: some60, full10: values["full avg10"] ?? 0, isOfSystem: isOfSystem)
  }
}

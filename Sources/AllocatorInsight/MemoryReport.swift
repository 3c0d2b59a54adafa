// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc
import Synchronization

/// What a process's memory is used for, at a moment: the process, its allocator, its control group, and a verdict.
public struct MemoryReport: Sendable {
  /// Seconds since 1970.
  public var time: Double
  public var process: ProcessMemory
  /// Nil in a report on another process that does not tell.
  public var allocator: ProcessAllocator?
  /// Nil where the process is in no group that counts memory.
  public var cgroup: CgroupMemory?
  public var verdict: MemoryVerdict
  /// What the last trim that was asked for here has done.
  public var lastTrim: MemoryTrim?
  /// What the kernel says of all mappings; nil where that was not asked for, or may not be read.
  public var mappings: MappingsMemory?

  /// Bytes that a trim would give back now; nil where the allocator cannot tell.
  public var releasableBytes: Int? {
    guard let allocator else { return nil }
    return MemorySample.releasableBytes(
      allocator.statistics, own: process.ownBytes ?? process.residentBytes ?? Int.max)
  }

  /// This process, as it is now.
  ///
  /// Takes some 100 µs: half of it is the kernel's account of the process, the rest the control group's files and the
  /// allocator's own numbers (see `StatisticsReporting.statistics`). Adds a sample to the history of the process, by which
  /// the next verdict can say since when; ``Insight/start(folder:releasing:)`` has one added every few seconds.
  ///
  /// - Parameter countingMappings: whether the kernel is to look at every page, too (``mappings``). That takes another 300 µs for
  ///   a small process, and more for a large one, while it keeps other threads from mapping memory.
  public static func current(countingMappings: Bool = false) -> MemoryReport {
    let (process, allocator, cgroup) = (ProcessMemory.current, ProcessAllocator.current, CgroupMemory.current)
    let sample = MemorySample(time: monotonicSeconds(), process: process, allocator: allocator)
    let (samples, trim) = ProcessHistory.shared.withLock { state in
      if process.residentBytes != nil { state.history.add(sample) }
      return (state.history.samples, state.lastTrim)
    }
    let judge = MemoryJudge(process: process, allocator: allocator, cgroup: cgroup, samples: samples)
    return MemoryReport(
      time: wallSeconds(), process: process, allocator: allocator, cgroup: cgroup, verdict: judge.verdict,
      lastTrim: trim, mappings: countingMappings ? MappingsMemory(ofProcess: "self") : nil)
  }

  /// Another process, from what the kernel tells of it; nil where there is none of that number. Without a history: the verdict
  /// speaks of the moment.
  public init?(ofProcess processID: Int) {
    guard let process = ProcessMemory(ofProcess: processID) else { return nil }
    let cgroup = CgroupMemory(ofProcess: processID)
    let judge = MemoryJudge(process: process, allocator: nil, cgroup: cgroup, samples: [])
    self.init(
      time: wallSeconds(), process: process, allocator: nil, cgroup: cgroup, verdict: judge.verdict,
      mappings: MappingsMemory(ofProcess: "\(processID)"))
  }

  init(
    time: Double, process: ProcessMemory, allocator: ProcessAllocator?, cgroup: CgroupMemory?, verdict: MemoryVerdict,
    lastTrim: MemoryTrim? = nil, mappings: MappingsMemory? = nil
  ) {
    self.time = time
    self.process = process
    self.allocator = allocator
    self.cgroup = cgroup
    self.verdict = verdict
    self.lastTrim = lastTrim
    self.mappings = mappings
  }
}

/// What a trim has done.
public struct MemoryTrim: Equatable, Sendable {
  /// Whether the allocator can give memory back at all.
  public var isPossible: Bool
  /// Bytes that the process had in memory before, and after.
  public var residentBefore: Int
  public var residentAfter: Int
  /// Bytes that the allocator said it would give back; nil where it does not tell.
  public var expectedBytes: Int?
  /// Bytes that are live, and bytes that the allocator holds still; nil where it does not tell.
  public var liveBytes: Int?
  public var heapBytes: Int?
  /// Seconds that it took.
  public var seconds: Double
  /// Seconds of the clock of ``MemoryHistory``.
  var time: Double

  /// Has the allocator that answers `malloc` give free memory back, and says what that did.
  ///
  /// Costs what `MemoryReleasing.releaseFreeMemory()` costs, and two reports.
  @discardableResult
  public static func perform() -> MemoryTrim {
    let (before, statistics) = (ProcessMemory.current, ProcessAllocator.statistics)
    let start = monotonicSeconds()
    let isPossible = ProcessAllocator.releaseFreeMemory()
    let end = monotonicSeconds()
    let (after, left) = (ProcessMemory.current, ProcessAllocator.statistics)
    let trim = MemoryTrim(
      isPossible: isPossible, residentBefore: before.residentBytes ?? 0, residentAfter: after.residentBytes ?? 0,
      expectedBytes: MemorySample.releasableBytes(statistics, own: before.ownBytes ?? Int.max),
      liveBytes: left.liveBytes, heapBytes: MemorySample.heapBytes(left, own: after.ownBytes ?? Int.max),
      seconds: end - start, time: end)
    ProcessHistory.shared.withLock { $0.lastTrim = trim }
    return trim
  }
}

/// The past of this process.
enum ProcessHistory {
  struct State {
    var history = MemoryHistory()
    var lastTrim: MemoryTrim?
  }

  static let shared = Mutex(State())
}

/// Seconds of a clock that never goes back (`CLOCK_MONOTONIC`).
func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// Seconds since 1970.
func wallSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

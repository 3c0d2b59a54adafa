// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc
import Synchronization

/// A mark that memory should stay below: when it is crossed, the program is told, and can drop what it does not need before the
/// kernel ends it.
///
/// ```swift
/// MemoryLimit.soft(.fractionOfCgroup(0.8)) { report in
///   await cache.removeAll()
///   logger.warning("\(report.logLine)")
/// }
/// ```
public final class MemoryLimit: Sendable {
  /// Where the mark is.
  public enum Threshold: Equatable, Sendable {
    /// So many bytes of the process in memory.
    case bytes(Int)
    /// So much of the control group's limit, from 0 to 1. Never crossed where there is no limit.
    case fractionOfCgroup(Double)
  }

  /// Where the mark is.
  public let threshold: Threshold
  private let body: @Sendable (MemoryReport) async -> Void
  private let usage: @Sendable () -> Usage?
  private let state = Mutex(State())

  /// What counts against the mark, and the mark, in bytes.
  struct Usage {
    var bytes: Int
    var mark: Int
  }

  private struct State {
    var isAbove = false
    var isCancelled = false
    var crossings = 0
    var lastLook = -1e9
  }

  /// Seconds between looks. One costs a few µs.
  private static let period = 0.1

  init(
    _ threshold: Threshold, usage: @escaping @Sendable () -> Usage?,
    body: @escaping @Sendable (MemoryReport) async -> Void
  ) {
    self.threshold = threshold
    self.usage = usage
    self.body = body
  }

  /// Has `body` called, on a task of its own, each time that memory rises above the mark: once, until it has fallen below nine
  /// tenths of it.
  ///
  /// Ten looks a second, by the thread that ``Insight/start(folder:releasing:)`` uses, which is started if it does not run.
  /// What rises by more within a tenth of a second is noticed late, or not at all.
  ///
  /// - Returns: the limit, which holds until it is cancelled; it need not be kept.
  @discardableResult
  public static func soft(
    _ threshold: Threshold, _ body: @escaping @Sendable (MemoryReport) async -> Void
  ) -> MemoryLimit {
    let limit = MemoryLimit(threshold, usage: { currentUsage(threshold) }, body: body)
    InsightAgent.shared.state.withLock { shared in
      guard InsightAgent.shared.run(&shared) == nil else { return }
      shared.limits.append(limit)
      InsightAgent.wake(shared)
    }
    return limit
  }

  /// Ends it.
  public func cancel() {
    state.withLock { $0.isCancelled = true }
    InsightAgent.shared.state.withLock { $0.limits.removeAll { $0 === self } }
  }

  /// How often the mark has been crossed.
  public var crossingCount: Int { state.withLock { $0.crossings } }

  /// Whether there is a mark: a fraction of no limit is none.
  public var isEffective: Bool { usage() != nil }

  private static func currentUsage(_ threshold: Threshold) -> Usage? {
    switch threshold {
    case .bytes(let mark): residentBytes().map { Usage(bytes: $0, mark: mark) }
    case .fractionOfCgroup(let fraction):
      CgroupMemory.current(watchingFrom: fraction).flatMap { group in
        guard let limit = group.limitBytes, let current = group.currentBytes else { return nil }
        return Usage(
          bytes: current - (group.idleFileBytes ?? 0), mark: Int(Double(limit) * min(max(fraction, 0), 1)))
      }
    }
  }

  /// Bytes of this process in memory, by the cheapest way: the second number of `/proc/self/statm`.
  private static func residentBytes() -> Int? {
    guard let file = SystemFile("/proc/self/statm", limit: 256) else { return nil }
    let words = file.bytes.split(separator: UInt8(ascii: " "))
    return words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)).map { $0 * Int(getpagesize()) } : nil
  }

  /// Looks, and calls if the mark was crossed. Returns after how many seconds to look again.
  func tend(at now: Double) -> Double {
    let isDue = state.withLock { state in
      if now - state.lastLook < Self.period * 0.9 { return false }
      state.lastLook = now
      return true
    }
    guard isDue, let usage = usage() else { return Self.period }
    let crossed = state.withLock { state in
      if state.isCancelled { return false }
      if state.isAbove {
        if usage.bytes < usage.mark / 10 * 9 { state.isAbove = false }
        return false
      }
      guard usage.bytes > usage.mark else { return false }
      state.isAbove = true
      state.crossings += 1
      return true
    }
    if crossed {
      let report = MemoryReport.current()
      Task { [body] in await body(report) }
    }
    return Self.period
  }
}

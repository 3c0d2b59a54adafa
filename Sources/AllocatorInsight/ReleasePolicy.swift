// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import AllocatorABI
import Glibc
import Synchronization

/// When free memory is given back to the system, without anybody asking for it.
///
/// Handed to ``Insight/start(folder:releasing:)``. By default the allocator that answers `malloc` releases;
/// ``releasing(_:)`` names another one.
///
/// ```swift
/// Insight.start(releasing: [.whenIdle(for: .seconds(30)), .onMemoryPressure])
/// ```
public struct ReleasePolicy: Sendable {
  enum Trigger: Sendable {
    case idle(Double)
    case pressure
    case every(Double)
    case share(Double)
  }

  let trigger: Trigger
  private let release: @Sendable () -> Void
  private let progress = PolicyProgress()

  private init(_ trigger: Trigger, _ release: @escaping @Sendable () -> Void = { MemoryTrim.perform() }) {
    self.trigger = trigger
    self.release = release
  }

  /// Once the process has used less than a fiftieth of a processor for that long; again after it has been busy meanwhile.
  public static func whenIdle(for time: Duration) -> ReleasePolicy { ReleasePolicy(.idle(time.inSeconds)) }

  /// When tasks of the control group, or of the system where it has no account of its own, have to wait for memory (PSI: 150 ms
  /// within 2 s), or the group's limit is hit. At most every ten seconds.
  public static var onMemoryPressure: ReleasePolicy { ReleasePolicy(.pressure) }

  /// Every so often, busy or not.
  public static func every(_ time: Duration) -> ReleasePolicy { ReleasePolicy(.every(max(time.inSeconds, 0.1))) }

  /// When more than `share` (0 to 1) of the control group's limit is used; again once it has been less, or 30 seconds later.
  /// Never without a limit.
  public static func above(shareOfLimit share: Double) -> ReleasePolicy { ReleasePolicy(.share(share)) }

  /// The same for an allocator that is not the one that answers `malloc`.
  public func releasing<Allocator: MemoryReleasing & SendableMetatype>(_ allocator: Allocator.Type) -> ReleasePolicy {
    ReleasePolicy(trigger, { Allocator.releaseFreeMemory() })
  }

  var needsPressure: Bool { if case .pressure = trigger { true } else { false } }

  /// How often the policy has released.
  public var releaseCount: Int { progress.state.withLock { $0.count } }

  /// Seconds between looks at what costs a system call.
  private static let period = 1.0

  /// Releases, if it is time. Returns after how many seconds it is to be asked again.
  func tend(at now: Double, hasPressure: Bool) -> Double {
    let (isDue, wait) = progress.state.withLock { $0.isDue(trigger, at: now, hasPressure: hasPressure) }
    if isDue {
      release()
      progress.state.withLock { $0.count += 1 }
    }
    return wait
  }

  /// What a policy remembers.
  private final class PolicyProgress: Sendable {
    struct State {
      var count = 0
      var lastLook = -1e9
      var lastRelease = -1e9
      var processorTime = 0.0
      var idleSince: Double?
      var mayRelease = true

      /// Whether to release, and when to ask again.
      mutating func isDue(_ trigger: Trigger, at now: Double, hasPressure: Bool) -> (Bool, Double) {
        switch trigger {
        case .every(let period):
          // Not at once.
          if lastRelease < 0 { lastRelease = now }
          guard now - lastRelease >= period else { return (false, period - (now - lastRelease)) }
          lastRelease = now
          return (true, period)
        case .pressure:
          guard hasPressure, now - lastRelease >= 10 else { return (false, period) }
          lastRelease = now
          return (true, period)
        case .idle(let time):
          guard now - lastLook >= period * 0.9 else { return (false, period) }
          let used = processorSeconds()
          let share = (used - processorTime) / (now - lastLook)
          lastLook = now
          processorTime = used
          guard share < 0.02 else {
            idleSince = nil
            mayRelease = true
            return (false, period)
          }
          let since = idleSince ?? now
          idleSince = since
          guard mayRelease, now - since >= time else { return (false, period) }
          mayRelease = false
          return (true, period)
        case .share(let share):
          guard now - lastLook >= period * 0.9 else { return (false, period) }
          lastLook = now
          guard let used = CgroupMemory.current(watchingFrom: share)?.usedShare else { return (false, period) }
          guard used > share else {
            mayRelease = true
            return (false, period)
          }
          guard mayRelease || now - lastRelease >= 30 else { return (false, period) }
          mayRelease = false
          lastRelease = now
          return (true, period)
        }
      }
    }

    let state = Mutex(State())
  }
}

/// Seconds of a processor that this process has used.
private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

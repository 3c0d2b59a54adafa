// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Glibc
import Synchronization

/// Finds out what is alive and who has allocated it, in a process that runs, over whichever allocator answers `malloc`.
///
/// ```swift
/// try HeapProfiler.start()
/// …
/// if let profile = HeapProfiler.stop() { print(profile) }
/// ```
///
/// While a profile runs, the calls of all images to the malloc family lead through a few instructions that count bytes down; a
/// block in every 512 KiB or so is looked at: its size, its stack, and until it is released, its place. Before and
/// afterwards nothing is different from a process that has no profiler. What was allocated before the start is not known.
///
/// How calls are led there: by the slots of the dynamic linker, in which images have the addresses of each other's functions. Where
/// the program itself exports `malloc`, because it names an allocator such as `GlobalNest`, calls need no slot, and the jump with which
/// each function of the family begins is rewritten instead; its page of code can be written for some microseconds at the start, and
/// again at the end. If the system forbids that, there are slots alone, and ``HeapProfile/notes`` says what cannot be seen.
///
/// A child of fork(2) has no profile running. Libraries that are opened meanwhile are included some 20 ms later.
public enum HeapProfiler {
  /// Why no profile could be started.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  /// Bytes between samples, on average, if nothing else is asked for.
  public static let defaultInterval = 512 << 10

  /// The intervals that make sense, in bytes.
  public static let intervals = 1...(1 << 30)

  private struct Start {
    /// Seconds since 1970.
    var date = 0.0
    var time = 0.0
    var liveBytes: Int?
  }

  private static let lastStart = Mutex(Start())

  /// Starts to sample. Takes some milliseconds, and 128 KiB for a thread that looks for new images.
  ///
  /// - Parameter interval: bytes that are allocated from one sample to the next, on average. Half the interval doubles the
  ///   number of samples; errors become smaller with its square root.
  /// - Throws: ``Failure`` where a profile runs already, for an interval outside ``intervals``, under a sanitizer, and where no call
  ///   between the allocator and Swift's runtime can be seen, because both are linked statically into one file, and the allocator
  ///   is glibc's or jemalloc, or the system lets nobody write code.
  public static func start(samplingEvery interval: Int = defaultInterval) throws(Failure) {
    try start(samplingEvery: interval, seconds: 0)
  }

  /// The same, for so many seconds at most, where that is not 0: who has started it may not be there to stop it.
  package static func start(samplingEvery interval: Int, seconds: Double) throws(Failure) {
    guard intervals.contains(interval) else {
      throw Failure(description: "an interval is from 1 byte to 1 GiB, and not \(interval)")
    }
    let result = lastStart.withLock { last in
      let start = Start(date: wallSeconds(), time: monotonicSeconds(), liveBytes: ProcessAllocator.statistics.liveBytes)
      let result = insight_profile_start(Int64(interval), seconds)
      if result == INSIGHT_PROFILE_STARTED { last = start }
      return result
    }
    switch result {
    case INSIGHT_PROFILE_STARTED: AsyncFrames.check()
    case INSIGHT_PROFILE_BUSY: throw Failure(description: "a profile is under way in this process already")
    case INSIGHT_PROFILE_SANITIZER:
      throw Failure(description: "a sanitizer answers malloc in this process, and reports on it itself")
    case INSIGHT_PROFILE_NO_SLOTS:
      throw Failure(
        description:
          "allocator and Swift runtime are linked statically into one file, so that calls between them cannot be "
          + "seen: link the Swift runtime dynamically, or name an allocator of this package that exports malloc (GlobalNest)"
      )
    default: throw Failure(description: "there is no memory for the profile's tables")
    }
  }

  /// Whether a profile is under way, whoever started it.
  public static var isRunning: Bool { state.interval > 0 }

  /// What has been seen so far by the profile that is under way, or by the last one. Nil where there has not been one.
  ///
  /// Takes some milliseconds for each image that has a frame in it, to read its symbols. The program goes on meanwhile.
  public static func snapshot() -> HeapProfile? {
    let start = lastStart.withLock { $0 }
    guard start.time > 0 else { return nil }
    let left = insight_profile_leave_out()
    defer { insight_profile_take_in(left) }
    // Images that came just now.
    insight_profile_retap()
    var reader = ProfileReader(state: state)
    var profile = reader.profile()
    profile.allocator = ProcessAllocator.current.name
    profile.startDate = start.date
    profile.seconds = monotonicSeconds() - start.time
    if let before = start.liveBytes, let now = ProcessAllocator.statistics.liveBytes { profile.growth = now - before }
    return profile
  }

  /// Ends the profile, and returns what it has seen. Nil where there has not been one.
  @discardableResult
  public static func stop() -> HeapProfile? {
    guard isRunning else { return nil }
    let profile = snapshot()
    insight_profile_stop()
    return profile
  }

  /// When the last profile was started, in seconds of a clock that never goes back.
  static var startTime: Double { lastStart.withLock { $0.time } }

  static var state: insight_profile_state {
    var state = insight_profile_state()
    insight_profile_read_state(&state)
    return state
  }

  private static func wallSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// A task of a known shape, whose stack the profiler has to find: how an async function keeps its context is no part of any
/// ABI, so it is tried before it is relied on.
enum AsyncFrames {
  static func check() {
    guard HeapProfiler.state.async_frames == 0 else { return }
    Task.detached {
      // One stack that cannot be read says nothing yet.
      for attempt in 1...3 where HeapProfiler.state.async_frames == 0 { await outer(isLast: attempt == 3) }
    }
  }

  @inline(never) private static func outer(isLast: Bool) async {
    await inner(isLast)
    // So that the call above is not the last thing here, and this function waits for it.
    await Task.yield()
  }

  @inline(never) private static func inner(_ isLast: Bool) async {
    await Task.yield()
    insight_profile_check_async(isLast ? 1 : 0)
  }
}

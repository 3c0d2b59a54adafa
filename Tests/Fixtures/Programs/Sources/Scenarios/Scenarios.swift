// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Glibc

/// Runs what the first argument names.
public func runScenario() {
  let arguments = CommandLine.arguments.dropFirst()
  let seconds = arguments.dropFirst().first.flatMap { Double($0) } ?? 30
  switch arguments.first {
  case "live-bytes": printLiveBytes()
  case "process-allocator": printProcessAllocator()
  case "leak-sessions": judge(leakSessions, after: seconds)
  case "leak-buffers": judge(leakBuffers, after: seconds)
  case "retain-cache": judge(retainCache, after: seconds)
  case "retain-threads": judge(retainThreads, after: seconds)
  case "map": judge(mapMemory, after: seconds)
  case "steady": judge(staySteady, after: seconds)
  default: exit(EX_USAGE)
  }
}

/// Lets a program work for so many seconds, and prints the verdict, what a trim was said to give back, what it gave back, and
/// the sentence.
private func judge(_ body: (Workload) -> Void, after seconds: Double) {
  let status = Insight.start()
  guard case .listening = status else {
    print(status)
    exit(1)
  }
  body(Workload(seconds: seconds))
  let report = MemoryReport.current()
  let trim = MemoryTrim.perform()
  print(report.verdict.kind.rawValue, trim.expectedBytes ?? -1, trim.releasedBytes, trim.residentBefore)
  print(report.verdict.sentence)
  print(trim)
  fflush(nil)
  // Nothing of the program's end is of interest.
  _exit(0)
}

/// Turns of a program's work, ten a second.
struct Workload {
  private let end: Double
  private let start: Double

  init(seconds: Double) {
    start = Self.now
    end = Self.now + seconds
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Calls `body` until the time is over, with the number of the turn.
  func everyTurn(_ body: (Int) -> Void) {
    var turn = 0
    while Self.now < end {
      body(turn)
      turn += 1
      usleep(100_000)
    }
  }
}

extension SplitMix64 {
  /// Another sequence in each run.
  init() { self.init(seed: UInt64(getpid()) &* 0x9e37_79b9_7f4a_7c15) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// One run of a program, and what it cost.
public struct ProgramRun: Sendable, Equatable {
  /// How a program ended.
  public enum Ending: Sendable, Equatable {
    /// It exited with this status.
    case exited(Int)
    /// It was ended by this signal.
    case signaled(Int)
    /// It was killed, because its time was up.
    case timedOut
    /// It never ran: the `errno` of the attempt.
    case unstartable(Int)
  }

  public var ending: Ending

  /// Seconds of wall-clock time from before the fork to the end of the program.
  public var wallSeconds: Double

  /// Seconds of processor time in user mode, of the program and of its descendants.
  public var userSeconds: Double

  /// Seconds of processor time in the kernel, of the same processes.
  public var systemSeconds: Double

  /// Bytes of memory that were resident at the peak: the largest peak of any one of the same processes.
  public var peakResidentBytes: Int

  /// Page faults that needed no input or output, of the same processes.
  public var minorFaults: Int

  /// Page faults that needed input or output, of the same processes.
  public var majorFaults: Int

  /// Context switches that the program asked for by waiting, of the same processes.
  public var voluntarySwitches: Int

  /// Context switches that the scheduler imposed, of the same processes.
  public var involuntarySwitches: Int

  /// How much memory was resident in all processes of the program together, over time; empty if nobody looked.
  public var resident: [ResidentPoint] = []

  /// What the load of a server printed as its score; nil for a program that is no server, or without a score.
  public var score: Double?

  /// Why the run must not be counted although the program ended well, such as a load that failed.
  public var loadFailure: String?

  /// Bytes that were resident at the peak, in all processes together: at least this much. It is the largest sum that was
  /// seen, or the largest peak of one process, which the kernel knows exactly. Pages that processes share count for each.
  public var peakTreeResidentBytes: Int {
    max(peakResidentBytes, resident.map(\.bytes).max() ?? 0)
  }

  /// What it wrote to its standard output.
  public var output: String

  /// What it wrote to its standard error.
  public var errorOutput: String

  /// Says in one line why this run must not be counted, or nil if it ended with status 0.
  public var failure: String? {
    let reason: String
    switch ending {
    case .exited(0): return loadFailure
    case .exited(let status): reason = "exited with status \(status)"
    case .signaled(let signal): reason = "ended by signal \(signal) (\(String(cString: strsignal(Int32(signal)))))"
    case .timedOut: reason = "killed, its time was up"
    case .unstartable(let code): reason = "cannot be started: \(String(cString: strerror(Int32(code))))"
    }
    // The last line of its standard error says most.
    guard let last = errorOutput.split(whereSeparator: \.isNewline).last else { return reason }
    return reason + ": " + last.prefix(300)
  }
}

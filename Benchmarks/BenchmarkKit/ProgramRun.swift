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

  /// Seconds of processor time in user mode, of the program and of those descendants that it waited for.
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

  /// What it wrote to its standard output.
  public var output: String

  /// What it wrote to its standard error.
  public var errorOutput: String

  /// Says in one line why this run must not be counted, or nil if it ended with status 0.
  public var failure: String? {
    let reason: String
    switch ending {
    case .exited(0): return nil
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

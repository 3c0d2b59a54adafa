// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Why the command cannot do what it was asked for: one line, and the exit status that goes with it.
public struct ToolFailure: Error, CustomStringConvertible, Equatable {
  /// Exit statuses of the command itself, those of `sysexits.h` and of the shell.
  public enum Status: Int32, Sendable {
    /// Some run failed, or printed something else than the others.
    case someRunFailed = 1
    /// The command line makes no sense (EX_USAGE).
    case usage = 64
    /// A file that was to be read is not what it should be (EX_DATAERR).
    case badData = 65
    /// A file that was to be read is not there, or may not be read (EX_NOINPUT).
    case noInput = 66
    /// An allocator is known, but not installed (EX_UNAVAILABLE).
    case unavailable = 69
    /// A call of the operating system failed (EX_OSERR).
    case system = 71
    /// A file could not be written (EX_CANTCREAT).
    case cannotWrite = 73
    /// The program is there, but cannot be run as asked.
    case cannotRun = 126
    /// There is no such program.
    case notFound = 127
  }

  public let message: String
  public let status: Status

  public init(_ message: String, _ status: Status) {
    self.message = message
    self.status = status
  }

  public var description: String { message }
}

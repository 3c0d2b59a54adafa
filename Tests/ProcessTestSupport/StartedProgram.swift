// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A program that runs beside the test. It is killed with this object, unless it has ended before.
public final class StartedProgram: @unchecked Sendable {
  public let processIdentifier: pid_t
  private let input: FileHandle
  private let output: FileHandle
  /// Bytes of the output that have been read, and not been taken.
  private var buffer: [UInt8] = []
  private var status: Int32?

  /// - Parameters:
  ///   - command: a program, looked up in `PATH` unless it has a slash, and its arguments.
  ///   - environment: variables set in addition to those of this process.
  ///   - hasErrors: whether the standard error is read with the standard output; otherwise it is this process's.
  public init(_ command: [String], environment: [String: String] = [:], hasErrors: Bool = true) throws {
    let (theirInput, input) = try Spawn.pipe()
    let (output, theirOutput) = try Spawn.pipe()
    (self.input, self.output) = (input, output)
    let outputs: [Spawn.Stream] = [.descriptor(theirOutput.fileDescriptor)]
    let process = try Spawn.process(
      command, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      streams: [.descriptor(theirInput.fileDescriptor)] + outputs + (hasErrors ? outputs : []))
    try theirInput.close()
    try theirOutput.close()
    guard let process else { throw POSIXError(.ENOENT) }
    processIdentifier = process
  }

  deinit {
    send(SIGKILL)
    _ = try? wait()
  }

  /// The next line that it prints, without its end; what is left when the output ends, and then "".
  public func line() -> String {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeFirst(end + 1) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      if !readMore() {
        defer { buffer = [] }
        return String(decoding: buffer, as: UTF8.self)
      }
    }
  }

  /// All that it prints until its end, or until it closes its output.
  public func rest() -> String {
    while readMore() {}
    defer { buffer = [] }
    return String(decoding: buffer, as: UTF8.self)
  }

  private func readMore() -> Bool {
    let data = output.availableData
    buffer += data
    return !data.isEmpty
  }

  /// Writes to its standard input.
  public func say(_ text: String) throws { try input.write(contentsOf: Data(text.utf8)) }

  /// Closes its standard input.
  public func closeInput() throws { try input.close() }

  /// Sends it a signal, if its end has not been waited for.
  public func send(_ signal: Int32) {
    if status == nil { kill(processIdentifier, signal) }
  }

  /// Whether it has not ended.
  public var isRunning: Bool {
    if status != nil { return false }
    var information = siginfo_t()
    guard waitid(P_PID, id_t(processIdentifier), &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return false }
    return information.si_signo == 0
  }

  /// Waits for its end. Returns its exit status, or the negative number of the signal that ended it.
  @discardableResult
  public func wait() throws -> Int32 {
    if let status { return status }
    let status = try Spawn.wait(processIdentifier)
    self.status = status
    return status
  }
}

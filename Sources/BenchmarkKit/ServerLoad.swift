// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What is done to a program that is a server, to measure it: wait until it answers, let a load run to its end, stop it.
public struct ServerLoad: Sendable {
  /// The TCP port of this machine's loopback interface on which the server answers.
  public var port: UInt16

  /// The load: a command for the shell.
  public var shellCommand: String

  /// Finds the score in what the load printed: a regular expression, of which the first group, or else the whole match, is a
  /// number. Nil if there is no score.
  public var score: NSRegularExpression?

  /// The longest that the server may take until it answers, and to stop.
  public var patienceSeconds: Double

  /// The longest that the load may take; nil is no limit.
  public var timeoutSeconds: Double?

  public init(
    port: UInt16, shellCommand: String, score: NSRegularExpression?, patienceSeconds: Double = 30,
    timeoutSeconds: Double? = nil
  ) {
    self.port = port
    self.shellCommand = shellCommand
    self.score = score
    self.patienceSeconds = patienceSeconds
    self.timeoutSeconds = timeoutSeconds
  }

  /// Whether something on this machine answers on the port.
  public var isAnswered: Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  /// Does all this to a server that has just been started.
  ///
  /// - Returns: the server's run; its wall time is the load's.
  func drive(_ server: RunningProgram, launcher: ProgramLauncher) throws(SystemError) -> ProgramRun {
    let deadline = SystemClock.seconds + patienceSeconds
    while !server.hasEnded && !isAnswered {
      guard SystemClock.seconds < deadline else {
        return try stop(server, failure: "nothing answers on port \(port) after \(Int(patienceSeconds)) s")
      }
      try server.wait(seconds: 0.01)
    }
    guard !server.hasEnded else {
      return try stop(server, failure: "the server ended before it answered on port \(port)")
    }

    let load = try launcher.start(Command("/bin/sh", ["-c", shellCommand]), timeoutSeconds: timeoutSeconds)
    while !load.hasEnded && !server.hasEnded {
      try server.wait(seconds: 0)
      try load.wait(seconds: 0.005)
    }
    // What is left of the load goes with its last reference.
    guard !server.hasEnded else { return try stop(server, failure: "the server ended while the load ran") }
    let loadRun = try load.result()
    if let failure = loadRun.failure { return try stop(server, failure: "the load failed: \(failure)") }
    var run = try stop(server, failure: nil)
    run.wallSeconds = loadRun.wallSeconds
    if let score {
      run.score = Self.score(score, in: loadRun.output)
      if run.score == nil { run.loadFailure = "no score in the output of the load" }
    }
    return run
  }

  /// Asks the server to end, and makes it end if it does not.
  private func stop(_ server: RunningProgram, failure: String?) throws(SystemError) -> ProgramRun {
    let hadEnded = server.hasEnded
    server.send(SIGTERM)
    try server.wait(seconds: patienceSeconds)
    server.send(SIGKILL)
    var run = try server.result()
    let term = Int(SIGTERM)
    // 143 is what a shell, or a program that handles the signal, makes of it.
    if !hadEnded, run.ending == .signaled(term) || run.ending == .exited(128 + term) { run.ending = .exited(0) }
    if let failure {
      let reason = hadEnded ? run.failure.map { ": \($0)" } ?? "" : ""
      run.loadFailure = failure + reason
      run.ending = .exited(0)
    }
    return run
  }

  /// The number that the expression finds; nil if it finds none.
  static func score(_ expression: NSRegularExpression, in text: String) -> Double? {
    guard let match = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)),
      let range = Range(match.range(at: match.numberOfRanges > 1 ? 1 : 0), in: text)
    else { return nil }
    return Double(text[range].filter { $0 != "," })
  }
}

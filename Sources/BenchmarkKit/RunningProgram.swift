// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A program that was started through the launcher. When the last reference to it goes, it and all that descends from it
/// are killed.
public final class RunningProgram {
  private let launcher: pid_t
  private let launcherPath: String
  private let resultDescriptor: Int32
  private let output: UnnamedFile
  private let errorOutput: UnnamedFile
  private let begin = SystemClock.seconds
  private let tree: ProcessTree?
  /// What has been seen of its memory so far.
  private(set) var series = ResidentSeries()
  private var nextLook: Double

  /// What the launcher has written so far.
  private var text = ""
  private var isReaped = false

  /// Whether the program has ended, or never began.
  public private(set) var hasEnded = false

  init(
    launcher: pid_t, launcherPath: String, result: Int32, output: UnnamedFile, errorOutput: UnnamedFile,
    watchesMemory: Bool
  ) {
    self.launcher = launcher
    self.launcherPath = launcherPath
    resultDescriptor = result
    self.output = output
    self.errorOutput = errorOutput
    tree = watchesMemory ? ProcessTree(below: launcher) : nil
    nextLook = begin
  }

  deinit {
    reap()
  }

  /// The program's process id; nil until the launcher has told it.
  public var processIdentifier: pid_t? {
    guard text.hasPrefix("started "), let line = text.split(separator: "\n").first else { return nil }
    return pid_t(line.dropFirst("started ".count))
  }

  /// Waits until the program has ended, or until `seconds` have passed, and looks at its memory meanwhile.
  ///
  /// - Throws: ``SystemError`` when ``Interruption`` has noted a signal; the program is then gone.
  public func wait(seconds: Double = .infinity) throws(SystemError) {
    let end = SystemClock.seconds + seconds
    while !hasEnded {
      if let signal = Interruption.received {
        reap()
        throw SystemError(doing: "interrupted by signal \(signal)", code: 0)
      }
      look()
      let now = SystemClock.seconds
      // Not for longer than a tenth of a second: a signal that comes just before the call does not end it.
      let until = max(now, min(end, tree == nil ? .infinity : nextLook, now + 0.1))
      var file = pollfd(fd: resultDescriptor, events: Int16(POLLIN), revents: 0)
      if poll(&file, 1, Int32(((until - now) * 1000).rounded(.up))) > 0 {
        readResult()
      } else if now >= end {
        return
      }
    }
  }

  /// Looks at the memory, if that is wanted and due.
  public func look() {
    let start = SystemClock.seconds
    guard let tree, !hasEnded, start >= nextLook else { return }
    let bytes = tree.residentBytes
    let now = SystemClock.seconds
    if bytes > 0 { series.add(ResidentPoint(seconds: now - begin, bytes: bytes)) }
    // What a look costs, which grows with the program's memory, is to stay a small share of the time.
    nextLook = now + max(Double(series.intervalMilliseconds) / 1000, 50 * (now - start))
  }

  /// Sends a signal to the program's process group.
  public func send(_ signal: Int32) {
    guard !hasEnded, let processIdentifier else { return }
    kill(-processIdentifier, signal)
  }

  /// Waits for the end of the program and returns what it cost.
  ///
  /// - Throws: ``SystemError`` if the launcher did not tell, or when ``Interruption`` has noted a signal.
  public func result() throws(SystemError) -> ProgramRun {
    try wait()
    let status = reap()
    let line = text.split(separator: "\n").last.map(String.init) ?? ""
    guard var run = ProgramRun(line: line, output: output.contents, errorOutput: errorOutput.contents) else {
      throw SystemError(doing: "\(launcherPath) ended with wait status \(status) and the result \"\(line)\"", code: 0)
    }
    run.resident = series.points
    return run
  }

  private func readResult() {
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = read(resultDescriptor, &buffer, buffer.count)
    if count > 0 { text += String(decoding: buffer[..<count], as: UTF8.self) }
    if count == 0 || (count < 0 && errno != EINTR) { hasEnded = true }
  }

  /// Lets the launcher see that nobody waits for its result, and waits until it has killed all and ended.
  @discardableResult
  private func reap() -> Int32 {
    guard !isReaped else { return 0 }
    isReaped = true
    hasEnded = true
    close(resultDescriptor)
    var status: Int32 = 0
    while waitpid(launcher, &status, 0) < 0 && errno == EINTR {}
    return status
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// One of the servers.
struct Server {
  static let port: UInt16 = 18_080

  var path: String
  var name: String
  var threadCount: Int

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts it, drives it, leaves it alone, and stops it.
  func measure(with wrk: Wrk, connections: Int, seconds: Int) throws -> ServerRun {
    let load = ServerLoad(port: Self.port, shellCommand: "", score: nil)
    guard !load.isAnswered else { throw Failure(description: "something answers on port \(Self.port) already") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["\(Self.port)", "\(threadCount)"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      process.terminate()
      process.waitUntilExit()
    }
    let deadline = Date() + 20
    while !load.isAnswered {
      guard process.isRunning, Date() < deadline else { throw Failure(description: "\(path) does not answer") }
      usleep(20_000)
    }
    let start = try resident("VmRSS", of: process)
    let address = "http://127.0.0.1:\(Self.port)/items"
    let get = try wrk.run(address + "?page=7", connections: connections, seconds: seconds)
    let post = try wrk.run(address, postingItems: 2000, connections: connections, seconds: seconds)
    sleep(5)
    return ServerRun(
      name: name, threadCount: threadCount, get: get, post: post, startBytes: start,
      peakBytes: try resident("VmHWM", of: process), afterBytes: try resident("VmRSS", of: process))
  }

  /// A line of `/proc/PID/status` (proc(5)), in bytes.
  private func resident(_ field: String, of process: Process) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("\(field):") }),
      let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
    else { throw Failure(description: "\(path) ended while it was measured") }
    return kibibytes * 1024
  }
}

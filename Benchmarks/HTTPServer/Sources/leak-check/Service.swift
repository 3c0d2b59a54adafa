// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// The service on one of the allocators, started.
final class Service {
  static let port: UInt16 = 18_081

  let process = Process()

  init(path: String) throws {
    let load = ServerLoad(port: Self.port, shellCommand: "", score: nil)
    guard !load.isAnswered else {
      throw Connection.Failure(description: "something answers on port \(Self.port) already")
    }
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["\(Self.port)"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let deadline = Date() + 20
    while !load.isAnswered {
      guard process.isRunning, Date() < deadline else {
        throw Connection.Failure(description: "\(path) does not answer")
      }
      usleep(20_000)
    }
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
  }

  /// So many visits, one after the other.
  func visit(_ count: Int, leaks: Bool) throws {
    var connection = try Connection(port: Self.port)
    for user in 0..<count { try connection.get("/visit?user=\(user)\(leaks ? "&keep=1" : "")") }
  }

  /// Seconds of processor time that it has used (proc(5), `stat`).
  var processorSeconds: Double {
    guard let file = FileHandle(forReadingAtPath: "/proc/\(process.processIdentifier)/stat"),
      let data = try? file.readToEnd(), let end = data.lastIndex(of: UInt8(ascii: ")"))
    else { return .nan }
    let words = String(decoding: data[data.index(after: end)...], as: UTF8.self).split(separator: " ")
    guard words.count > 12, let user = Double(words[11]), let system = Double(words[12]) else { return .nan }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// `allocators profile`, started.
struct Profile {
  private let process = Process()
  private let output = Pipe()

  init(command: String, of service: Service, seconds: Double, interval: String) throws {
    process.executableURL = URL(fileURLWithPath: command)
    process.arguments = [
      "profile", "\(service.process.processIdentifier)", "--seconds", "\(seconds)", "--interval", interval,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    // Until it samples.
    usleep(500_000)
  }

  /// Ends it as Ctrl-C does, and returns what it says.
  func end() -> String {
    process.interrupt()
    return wait()
  }

  func wait() -> String {
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
  }
}

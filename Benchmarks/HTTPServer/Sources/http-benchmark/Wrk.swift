// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What went wrong with a load.
struct WrkFailure: Error, CustomStringConvertible {
  var description: String
}

/// The load generator wrk.
struct Wrk {
  /// What wrk says of one load.
  struct Result {
    var requestsPerSecond: Double
    var p50Seconds: Double
    var p99Seconds: Double

    /// Reads wrk's output; nil if it is not as expected.
    init?(output: String) {
      guard let rate = Self.field(after: "Requests/sec:", in: output).flatMap({ Double($0) }),
        let p50 = Self.field(after: "50%", in: output).flatMap(Self.seconds),
        let p99 = Self.field(after: "99%", in: output).flatMap(Self.seconds)
      else { return nil }
      (requestsPerSecond, p50Seconds, p99Seconds) = (rate, p50, p99)
    }

    private static func field(after title: String, in text: String) -> String? {
      let line = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.first {
        $0.hasPrefix(title)
      }
      return line.map { $0.dropFirst(title.count).trimmingCharacters(in: .whitespaces) }
    }

    /// "1.50ms" as 0.0015.
    private static func seconds(_ text: String) -> Double? {
      for (unit, factor) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60)] where text.hasSuffix(unit) {
        return Double(text.dropLast(unit.count)).map { $0 * factor }
      }
      return nil
    }
  }

  var path: String

  static var installed: Wrk? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/wrk" }.first { FileManager.default.isExecutableFile(atPath: $0) }.map { Wrk(path: $0) }
  }

  /// Drives a server for `seconds` with GET, or with POST of a list of `count` items.
  func run(_ address: String, postingItems count: Int? = nil, connections: Int, seconds: Int) throws -> Result {
    var arguments = ["--latency", "-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "30s"]
    let script = FileManager.default.temporaryDirectory.appendingPathComponent(
      "http-benchmark-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: script) }
    if let count {
      try Data(Self.postScript(count).utf8).write(to: script)
      arguments += ["-s", script.path]
    }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments + [address]
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let isFlawed = output.contains("Non-2xx") || output.contains("Socket errors")
    guard process.terminationStatus == 0, !isFlawed, let result = Result(output: output) else {
      throw WrkFailure(description: "wrk on \(address) says:\n\(output)")
    }
    return result
  }

  private static func postScript(_ count: Int) -> String {
    """
    local items = {}
    for id = 1, \(count) do
      items[id] = string.format(
        '{"id":%d,"name":"Item number %d","summary":"%s","price":{"amount":%d,"currency":"EUR"},"tags":["a%d","b%d"],"isInStock":%s}',
        id, id, string.rep("lorem ipsum ", id % 5 + 1), id * 37 % 10000, id, id, id % 3 == 0 and "true" or "false")
    end
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = "[" .. table.concat(items, ",") .. "]"
    """
  }
}

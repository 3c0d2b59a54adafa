// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation

/// Drives each server with wrk and shows what the allocators make of it.
@main
struct HTTPBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "http-benchmark",
    abstract: "A JSON service on each Global… product, under load from wrk.",
    discussion: """
      Build everything first: swift build -c release. Each server is started anew, driven with GET, then with POST of 2,000 \
      items, then left alone for 5 s. The servers take turns, in an order that changes from round to round; shown are medians. \
      All traffic stays on 127.0.0.1.
      """)

  static let servers = ["system", "jemalloc", "mimalloc", "tcmalloc", "nest", "default"]

  @Option(help: "How often each server runs with each number of threads.")
  var rounds = 3

  @Option(help: ArgumentHelp("How long each load lasts.", valueName: "seconds"))
  var duration = 5

  @Option(help: ArgumentHelp("How many connections the load keeps open.", valueName: "count"))
  var connections = 64

  @Option(help: ArgumentHelp("Threads of the server; the processors, and 64, if not given.", valueName: "n,n"))
  var threads: String?

  @Option(help: ArgumentHelp("Decides the order of the runs.", valueName: "number"))
  var seed: UInt64 = 1

  func validate() throws {
    guard rounds > 0, (1...60).contains(duration), (1...1000).contains(connections) else {
      throw ValidationError("--rounds takes 1 or more, --duration 1 to 60, --connections 1 to 1000.")
    }
  }

  func run() throws {
    let processors = ProcessInfo.processInfo.activeProcessorCount
    let threadCounts = try threads.map(Self.numbers) ?? [processors, 64]
    guard let wrk = Wrk.installed else { throw ValidationError("wrk is not installed (apt-get install wrk).") }
    let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    var generator = SplitMix64(seed: seed)
    var runs: [ServerRun] = []
    for round in 1...rounds {
      for threadCount in threadCounts {
        let order = Self.servers.shuffled(using: &generator)
        let line = "round \(round), \(threadCount) threads: \(order.joined(separator: ", "))\n"
        FileHandle.standardError.write(Data(line.utf8))
        for name in order {
          let server = Server(path: "\(folder)/Server-\(name)", name: name, threadCount: threadCount)
          runs.append(try server.measure(with: wrk, connections: connections, seconds: duration))
        }
      }
    }
    print("\(Machine.current.description)")
    print(
      "\(connections) connections, \(duration) s for each load, medians of \(rounds) rounds in seed \(seed)'s order\n")
    for line in Self.table(runs, threadCounts).lines { print(line) }
  }

  private static func numbers(_ text: String) throws -> [Int] {
    let numbers = text.split(separator: ",").map { Int($0) ?? 0 }
    guard !numbers.isEmpty, numbers.allSatisfy({ (1...1024).contains($0) }) else {
      throw ValidationError("--threads takes numbers from 1 to 1024.")
    }
    return numbers
  }

  private static func table(_ runs: [ServerRun], _ threadCounts: [Int]) -> TextTable {
    var table = TextTable([
      ("threads", .right), ("product", .left), ("GET/s", .right), ("p50", .right), ("p99", .right), ("POST/s", .right),
      ("p50", .right), ("p99", .right), ("RSS at start", .right), ("peak", .right), ("5 s after", .right),
    ])
    for (index, threadCount) in threadCounts.enumerated() {
      if index > 0 { table.addGap() }
      for name in servers {
        let own = runs.filter { $0.name == name && $0.threadCount == threadCount }
        let median = { (value: (ServerRun) -> Double) in Statistics.median(own.map(value)) ?? .nan }
        table.addRow([
          "\(threadCount)", name, String(format: "%.0f", median(\.get.requestsPerSecond)),
          milliseconds(median(\.get.p50Seconds)), milliseconds(median(\.get.p99Seconds)),
          String(format: "%.1f", median(\.post.requestsPerSecond)), milliseconds(median(\.post.p50Seconds)),
          milliseconds(median(\.post.p99Seconds)), mebibytes(median { Double($0.startBytes) }),
          mebibytes(median { Double($0.peakBytes) }), mebibytes(median { Double($0.afterBytes) }),
        ])
      }
    }
    return table
  }

  private static func milliseconds(_ seconds: Double) -> String { String(format: "%.1f ms", seconds * 1000) }

  private static func mebibytes(_ bytes: Double) -> String { String(format: "%.1f MiB", bytes / 1_048_576) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation

/// Holds profiles of a service against what it is known to leak, and says what a profile costs it.
@main
struct LeakCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leak-check",
    abstract: "A Hummingbird service that leaks a known number of sessions, profiled on four allocators.",
    discussion:
      "Build everything first: swift build -c release, here and in the package's root. All traffic stays on 127.0.0.1.",
    subcommands: [Leaks.self, Overhead.self])

  static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
}

struct Leaks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "How often the first line is right: the function, the type, and a number within three standard errors.")

  @Option(help: ArgumentHelp("The command that profiles.", valueName: "path"))
  var command = "../../.build/release/allocators"

  @Option(help: "How often on each allocator.")
  var runs = 20

  @Option(help: "How many sessions are leaked.")
  var sessions = 10_000

  @Option(help: ArgumentHelp("Bytes between samples.", valueName: "size"))
  var interval = "32K"

  @Option(help: ArgumentHelp("Which allocators.", valueName: "name,name"))
  var allocators = "system,jemalloc,nest,five"

  func run() throws {
    print(Machine.current.description)
    print("\(sessions) sessions leaked, one sample in \(interval)")
    for name in allocators.split(separator: ",") {
      var right = 0
      var deviations: [Double] = []
      for run in 1...runs {
        let service = try Service(path: "\(LeakCheck.folder)/Sessions-\(name)")
        defer { service.stop() }
        // Everything is warm.
        try service.visit(200, leaks: false)
        let profile = try Profile(command: command, of: service, seconds: 600, interval: interval)
        try service.visit(sessions, leaks: true)
        try service.visit(sessions / 4, leaks: false)
        let text = profile.end()
        let line = text.split(separator: "\n").first ?? ""
        guard
          let match = line.firstMatch(
            of: #/ % of it from SessionService\.logIn \(([0-9,]+) × SessionService\.Session, ±([0-9]+) %\)/#),
          let count = Double(match.1.filter { $0 != "," }), let percent = Double(match.2)
        else {
          print("\(name) \(run): \(text)")
          continue
        }
        let deviation = (count - Double(sessions)) / (count * percent / 100)
        deviations.append(deviation)
        if abs(deviation) <= 3 { right += 1 } else { print("\(name) \(run): \(line)") }
      }
      let spread = (deviations.map { $0 * $0 }.reduce(0, +) / Double(max(deviations.count, 1))).squareRoot()
      print(
        "\(name): right in \(right) of \(runs); deviation in standard errors: largest "
          + String(format: "%.1f, root of mean square %.2f", deviations.map(abs).max() ?? .nan, spread))
    }
  }
}

struct Overhead: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Processor time per request with a profile at 512 KiB over that without one, in turns.")

  @Option(help: ArgumentHelp("The command that profiles.", valueName: "path"))
  var command = "../../.build/release/allocators"

  @Option(help: "How many pairs.")
  var pairs = 30

  @Option(help: ArgumentHelp("How long each load lasts.", valueName: "seconds"))
  var duration = 2

  @Option(help: ArgumentHelp("Which allocators.", valueName: "name,name"))
  var allocators = "system,nest"

  func run() throws {
    guard let wrk = Wrk.installed else { throw ValidationError("wrk is not installed (apt-get install wrk).") }
    print(Machine.current.description)
    for name in allocators.split(separator: ",") {
      let service = try Service(path: "\(LeakCheck.folder)/Sessions-\(name)")
      defer { service.stop() }
      let address = "http://127.0.0.1:\(Service.port)/visit?user=7"
      func cost(isProfiled: Bool) throws -> Double {
        let profile = isProfiled ? try Profile(command: command, of: service, seconds: 600, interval: "512K") : nil
        defer { _ = profile?.end() }
        let before = service.processorSeconds
        let result = try wrk.run(address, connections: 16, seconds: duration)
        return (service.processorSeconds - before) / (result.requestsPerSecond * Double(duration))
      }
      _ = try cost(isProfiled: false)
      let ratios = try (0..<pairs).map { pair in
        let isFirst = pair % 2 == 0
        let first = try cost(isProfiled: isFirst)
        let second = try cost(isProfiled: !isFirst)
        return isFirst ? first / second : second / first
      }
      let logarithms = ratios.map { Foundation.log($0) }
      let mean = logarithms.reduce(0, +) / Double(pairs)
      let deviation = (logarithms.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(pairs - 1)).squareRoot()
      // 1.96: of the normal distribution, for 95 %.
      let half = 1.96 * deviation / Double(pairs).squareRoot()
      print(
        "\(name): "
          + String(
            format: "%.3f (%.3f to %.3f), %d pairs, median %.3f", exp(mean), exp(mean - half), exp(mean + half), pairs,
            Statistics.median(ratios) ?? .nan))
    }
  }
}

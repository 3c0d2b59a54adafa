// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocationTrace
import BenchmarkKit
import CAllocatorTrace
import Foundation

/// One replay, from the command line to the report.
struct Replay {
  private let options: ReplayCommand
  private let trace: AllocationTrace
  private let plan: ReplayPlan
  private let allocators: [KnownAllocator]
  private let launcher: ProgramLauncher
  private let replayer: String

  /// Checks all that can be checked before anything runs.
  init(_ options: ReplayCommand) throws {
    self.options = options
    do {
      trace = try AllocationTrace(path: options.trace)
      plan = try ReplayPlan(trace, samples: options.samples)
    } catch {
      throw ToolFailure(
        "\(options.trace) \(error)", access(options.trace, R_OK) == 0 ? .badData : .noInput)
    }
    let catalog = try options.libraries.catalog()
    allocators =
      try options.allocators.map { names in
        try names.split(separator: ",").map { try catalog.allocator(named: String($0)) }
      } ?? catalog.installed
    guard !allocators.isEmpty else { throw ToolFailure("--allocators takes at least one name", .usage) }
    guard Set(allocators.map(\.name)).count == allocators.count else {
      throw ToolFailure("--allocators takes each name once", .usage)
    }
    for name in ["benchmark-launcher", "trace-replayer"] where access(ThisExecutable.folder + "/" + name, X_OK) != 0 {
      throw ToolFailure("\(ThisExecutable.folder)/\(name) is missing: it is built with this program", .system)
    }
    launcher = ProgramLauncher(path: ThisExecutable.folder + "/benchmark-launcher")
    replayer = ThisExecutable.folder + "/trace-replayer"
    if let json = options.json {
      guard let file = fopen(json, "a") else {
        throw ToolFailure("\(json) cannot be written: \(String(cString: strerror(errno)))", .cannotWrite)
      }
      fclose(file)
    }
  }

  func run() throws {
    Interruption.watch()
    do {
      try measure()
    } catch {
      guard let signal = Interruption.received else { throw error }
      FileHandle.standardError.write(Data("\nallocators: interrupted; nothing is left running\n".utf8))
      Interruption.endProcess(by: signal)
    }
  }

  private func measure() throws {
    let file = try planFile()
    defer { close(file) }
    let command = { (allocator: KnownAllocator) in
      Command(
        replayer, ["/proc/\(getpid())/fd/\(file)"],
        environment: [
          "LD_PRELOAD": Preload.value(
            for: allocator, current: ProcessInfo.processInfo.environment["LD_PRELOAD"])
        ])
    }
    let seed = options.seed ?? UInt64.random(in: 0...999_999)
    var generator = SplitMix64(seed: seed)
    var results = allocators.map { ReplayResult(allocator: $0.name) }
    let progress = ProgressLine()
    for round in 1...options.rounds {
      progress.show("round \(round) of \(options.rounds)")
      for index in Array(allocators.indices).shuffled(using: &generator) where results[index].failure == nil {
        let run = try launcher.run(command(allocators[index]), timeoutSeconds: options.timeout)
        results[index].add(run, plan: plan)
      }
    }
    progress.clear()
    let report = ReplayReport(
      trace: options.trace, command: trace.command, summary: trace.summary, plan: plan, rounds: options.rounds,
      seed: seed, results: results)
    for line in report.lines { print(line) }
    if let json = options.json {
      do {
        try report.json().write(to: URL(fileURLWithPath: json))
      } catch {
        throw ToolFailure("\(json) cannot be written", .cannotWrite)
      }
    }
    let failed = results.filter { $0.failure != nil }.map(\.allocator)
    if !failed.isEmpty { throw ToolFailure("runs failed on \(failed.joined(separator: ", "))", .someRunFailed) }
  }

  /// The plan in memory that has a descriptor: nothing is left when this process is killed.
  private func planFile() throws(ToolFailure) -> Int32 {
    let file = allocator_trace_memory_file()
    guard file >= 0 else { throw ToolFailure("memfd_create: \(String(cString: strerror(errno)))", .system) }
    let failure: Int32 = plan.bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = write(file, bytes.baseAddress! + done, bytes.count - done)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return errno }
        done += count
      }
      return 0
    }
    guard failure == 0 else {
      throw ToolFailure(
        "no memory for the plan of \(plan.bytes.count) bytes: \(String(cString: strerror(failure)))", .system)
    }
    return file
  }
}

/// What the runs on one allocator gave.
struct ReplayResult: Codable, Sendable {
  var allocator: String
  var failure: String?
  /// Of each round: seconds in which calls were made, and bytes that were resident at each sample.
  var seconds: [Double] = []
  var resident: [[Int]] = []
  /// The calls that the replayer made, by kind; the same in each round.
  var calls: [String: Int] = [:]

  init(allocator: String) { self.allocator = allocator }

  mutating func add(_ run: ProgramRun, plan: ReplayPlan) {
    if let failure = run.failure {
      self.failure = failure
      return
    }
    var samples: [Int] = []
    var begin = 0
    for line in run.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let value = Int(words[1]) else { continue }
      switch words[0] {
      case "nanoseconds": seconds.append(Double(value) / 1e9)
      case "begin": begin = value
      case "sample": samples.append(value < 0 ? -1 : max(0, value - begin) * 1024)
      default: calls[String(words[0])] = value
      }
    }
    guard samples.count == plan.live.count else {
      failure = "printed \(samples.count) samples of \(plan.live.count)"
      return
    }
    resident.append(samples)
  }

  /// By sample, the median of the rounds.
  var typicalResident: [Double] {
    guard let first = resident.first else { return [] }
    return first.indices.map { index in Statistics.median(resident.map { Double($0[index]) }) ?? 0 }
  }

  /// The peak of each round.
  var peaks: [Double] { resident.map { Double($0.max() ?? 0) } }
}

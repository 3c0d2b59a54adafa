// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation

/// One comparison, from the command line to the report.
struct Comparison {
  private let options: CompareCommand
  private let words: CommandWords
  private let program: ProgramFile
  private let allocators: [KnownAllocator]
  private let load: ServerLoad?
  private let launcher: ProgramLauncher

  /// Checks all that can be checked before anything runs.
  init(_ options: CompareCommand, _ words: CommandWords) throws {
    self.options = options
    self.words = words
    try Self.check(options)
    load = try Self.load(options)
    allocators = try Self.chosen(options.allocators, in: options.libraries.catalog())
    guard allocators.count > 1 else {
      throw ToolFailure("there is only system: nothing to compare it with is installed", .unavailable)
    }
    program = try ProgramFile(named: words.program)
    for allocator in allocators { try Preload.check(program, on: allocator) }
    let launcherPath = ThisExecutable.folder + "/benchmark-launcher"
    guard access(launcherPath, X_OK) == 0 else {
      throw ToolFailure("\(launcherPath) is missing: it is built with this program", .system)
    }
    launcher = ProgramLauncher(path: launcherPath)
    if let load, load.isAnswered {
      throw ToolFailure("something answers on port \(load.port) already", .unavailable)
    }
    for path in [options.html, options.json].compactMap({ $0 }) {
      // Not after an hour of runs.
      guard let file = fopen(path, "a") else {
        throw ToolFailure("\(path) cannot be written: \(String(cString: strerror(errno)))", .cannotWrite)
      }
      fclose(file)
    }
  }

  /// Runs the comparison and writes the reports.
  ///
  /// - Throws: ``ToolFailure`` if some run failed, after everything has been written.
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
    let plan = try plan()
    var notes: [String] = []
    #if DEBUG
      notes.append("a debug build of this command; that does not change what it measures")
    #endif
    if let own = allocatorOfTheProgramsOwn { notes.append(own) }
    var comparesOutput = load == nil && !options.ignoreOutput
    if load == nil, try !isOutputRepeatable(), comparesOutput {
      comparesOutput = false
      notes.append("the program prints something else each time, so outputs are not compared")
    }
    var experiment = Experiment(
      trials: trials(plan, comparesOutput: comparesOutput), rounds: rounds, seed: plan.seed,
      timeoutSeconds: options.timeout, launcher: launcher)
    experiment.watchesMemory = true
    experiment.budgetSeconds = options.budget
    let bar = ProgressBar(
      runCount: options.budget == nil ? experiment.runCount : nil, budgetSeconds: options.budget)
    var orders: [[String]] = []
    let samples = try experiment.run { round, order in
      if round > 0 { orders.append(order) }
      bar.round(round, order: order)
    } progress: { sample, number in
      bar.run(sample, number: number)
    }
    bar.clear()

    let report = ComparisonReport(plan, samples: samples, orders: orders, notes: notes)
    for line in report.lines { print(line) }
    if let json = options.json { try write(try report.json(), to: json) }
    if let html = options.html { try write(Data(HTMLReport(report).text.utf8), to: html) }
    let failures = report.failures
    guard failures.isEmpty else {
      throw ToolFailure(
        "runs failed on \(failures.map(\.name).joined(separator: ", ")); they are in no average", .someRunFailed)
    }
  }

  private var rounds: Int { options.rounds ?? (options.budget == nil ? 15 : 10_000) }

  /// A program may be linked with an allocator: it is then what it runs on where nothing is preloaded.
  private var allocatorOfTheProgramsOwn: String? {
    let file = program.executedFile.path
    let environment = ProcessInfo.processInfo.environment.filter { $0.key != "LD_PRELOAD" }
    guard let image = try? ELFImage(contentsOf: file, depth: .allSymbols),
      let scope = try? LoaderScope(ofProgramAt: file, image, environment: environment),
      let provider = scope.mallocProvider
    else { return nil }
    let name = Inspection.name(of: provider)
    guard name != "glibc" else { return nil }
    return "\(words.program) is linked with \(name) (\(provider.path)): that is what 'system' means here"
  }

  private func plan() throws -> ComparisonReport.Plan {
    var seen: [String: Int] = [:]
    let contenders = try allocators.map { allocator -> ComparisonReport.PlannedContender in
      seen[allocator.name, default: 0] += 1
      let count = seen[allocator.name]!
      let name = count == 1 ? allocator.name : "\(allocator.name) (\(count))"
      guard case .library(let path) = allocator.source else {
        return .init(name: name, version: Machine.libcVersion, path: nil)
      }
      return .init(name: name, version: try AskCommand.ask(path: path), path: path)
    }
    return ComparisonReport.Plan(
      command: words.all,
      load: load.map { .init(port: Int($0.port), command: $0.shellCommand, score: options.score) },
      contenders: contenders, seed: options.seed ?? UInt64.random(in: 0...999_999), machine: .current,
      date: Date().formatted(.iso8601))
  }

  private func trials(_ plan: ComparisonReport.Plan, comparesOutput: Bool) -> [Trial] {
    zip(plan.contenders, allocators).map { contender, allocator in
      Trial(
        subject: words.program, contender: contender.name, command: command(on: allocator), load: load,
        answer: { run throws(WrongOutput) in comparesOutput ? run.output : "" })
    }
  }

  private func command(on allocator: KnownAllocator) -> Command {
    let value = Preload.value(for: allocator, current: ProcessInfo.processInfo.environment["LD_PRELOAD"])
    return Command(program.path, Array(words.all.dropFirst()), environment: ["LD_PRELOAD": value])
  }

  /// Runs the program twice on the baseline: does it work, and does it print the same?
  private func isOutputRepeatable() throws -> Bool {
    var outputs: [String] = []
    for _ in 0..<2 {
      let run = try launcher.run(command(on: allocators[0]), timeoutSeconds: options.timeout)
      if let failure = run.failure {
        throw ToolFailure("on \(allocators[0].name) already, \(words.program) \(failure)", .someRunFailed)
      }
      outputs.append(run.output)
    }
    return outputs[0] == outputs[1]
  }

  private func write(_ data: Data, to path: String) throws {
    do {
      try data.write(to: URL(fileURLWithPath: path))
    } catch {
      throw ToolFailure("\(path) cannot be written", .cannotWrite)
    }
  }

  private static func check(_ options: CompareCommand) throws {
    if let rounds = options.rounds, rounds < 1 { throw ToolFailure("--rounds takes a number above 0", .usage) }
    if let budget = options.budget, !(budget > 0) { throw ToolFailure("--budget takes a number above 0", .usage) }
    if options.rounds != nil && options.budget != nil {
      throw ToolFailure("--rounds and --budget exclude each other", .usage)
    }
    if !(options.timeout > 0) { throw ToolFailure("--timeout takes a number above 0", .usage) }
    if (options.waitFor == nil) != (options.drive == nil) {
      throw ToolFailure("--wait-for and --drive need each other", .usage)
    }
    if options.score != nil && options.drive == nil { throw ToolFailure("--score needs --drive", .usage) }
  }

  private static func load(_ options: CompareCommand) throws -> ServerLoad? {
    guard let port = options.waitFor, let drive = options.drive else { return nil }
    guard port > 0 else { throw ToolFailure("--wait-for takes a number above 0", .usage) }
    var expression: NSRegularExpression?
    if let score = options.score {
      expression = try? NSRegularExpression(pattern: score)
      guard expression != nil else { throw ToolFailure("--score is no regular expression: '\(score)'", .usage) }
    }
    return ServerLoad(port: port, shellCommand: drive, score: expression, timeoutSeconds: options.timeout)
  }

  /// Those that the user chose; system first, which may stand there a second time.
  private static func chosen(_ names: String?, in catalog: AllocatorCatalog) throws -> [KnownAllocator] {
    guard let names else { return catalog.installed }
    var rest = try names.split(separator: ",").map { try catalog.allocator(named: String($0)) }
    guard !rest.isEmpty else { throw ToolFailure("--allocators takes at least one name", .usage) }
    let system = try catalog.allocator(named: "system")
    if let index = rest.firstIndex(of: system) { rest.remove(at: index) }
    return [system] + rest
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation

/// Runs the shapes of allocation under each allocator that can be preloaded.
struct ShapesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shapes",
    abstract: "Shapes of allocation from the literature, in C, under each allocator that is installed, by LD_PRELOAD.",
    discussion: """
      The allocators are glibc, to which the ratios are and which therefore always runs; jemalloc, mimalloc and tcmalloc \
      where Debian's libraries are installed; and nest where libNestPreload.so is beside this executable or named.

      small, solver, simple, calloc, realloc, phases and large run one thread; aligned, pareto, server, producer, \
      exchange, churn and sharing several. The first lines of each file in Benchmarks/AllocationShapes say what it \
      imitates.
      """)

  /// What the ratios are to.
  static let baseline = LibraryOptions.baseline

  @Option(help: ArgumentHelp("Which shapes; all if not given.", valueName: "a,b"))
  var shapes: CommaSeparated?

  @OptionGroup
  var libraries: LibraryOptions

  @Option(help: ArgumentHelp("Threads of the shapes that have several; the processors, at least 2, if not given."))
  var threads: Int?

  @Option(help: ArgumentHelp("How much work, relative to the usual amount.", valueName: "factor"))
  var scale: Double?

  @Flag(help: "Show times, intervals and peak RSS of every shape too.")
  var details = false

  @OptionGroup
  var options: MeasuringOptions

  func validate() throws {
    if let threads, !(2...1024).contains(threads) { throw ValidationError("--threads takes a number from 2 to 1024.") }
    if let scale, scale <= 0 { throw ValidationError("--scale takes a number above 0.") }
  }

  func run() throws {
    let program = try Siblings.path(of: "AllocationShapes")
    let launcher = ProgramLauncher(path: try Siblings.path(of: "benchmark-launcher"))
    let all = try launcher.run(Command(program, ["--list"])).output.split(whereSeparator: \.isNewline).map(String.init)
    let chosen = try shapes?.selection(of: all, named: { $0 }, option: "--shapes") ?? all
    let libraries: [PreloadLibrary?] = [nil] + (try libraries.chosen())
    var arguments = ["--scale", "\(scale ?? (options.quick ? 0.05 : 1))"]
    if let threads { arguments += ["--threads", "\(threads)"] }
    let trials = chosen.flatMap { shape in
      libraries.map { library in
        Trial(
          subject: shape, contender: library?.name ?? Self.baseline,
          command: Command(program, [shape] + arguments, environment: PreloadLibrary.environment(for: library)),
          answer: { run throws(WrongOutput) in try Self.checksum(in: run, on: library) })
      }
    }
    try options.measure(trials, baseline: Self.baseline, rounds: 5) { summary in
      let note = "relative to \(Self.baseline); ~ where the interval holds 1"
      return [
        ("Wall time \(note)", summary.matrix("shape", of: \.time, mean: \.time)),
        ("Processor time \(note)", summary.matrix("shape", of: \.processor, mean: \.processor)),
        ("Peak RSS \(note)", summary.matrix("shape", of: \.memory, mean: \.memory)),
      ] + (details ? [("Everything", summary.table(subject: "shape", contender: "allocator"))] : [])
    }
  }

  /// Takes the checksum from what the program printed, once that says that malloc was the library's.
  private static func checksum(in run: ProgramRun, on library: PreloadLibrary?) throws(WrongOutput) -> String {
    let lines = run.output.split(whereSeparator: \.isNewline)
    guard lines.count == 2, lines[0].hasPrefix("malloc "), lines[1].hasPrefix("checksum ") else {
      throw WrongOutput("printed \"\(run.output)\"")
    }
    let file = String(lines[0].dropFirst("malloc ".count))
    let isRight = library.map { file == $0.path } ?? URL(fileURLWithPath: file).lastPathComponent.hasPrefix("libc.so")
    guard isRight else { throw WrongOutput("malloc was of \(file)") }
    return String(lines[1])
  }
}

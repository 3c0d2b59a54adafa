// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Workloads

/// Runs the workloads on each `Global…` product.
struct WorkloadsCommand: ParsableCommand {
  /// A product that chooses an allocator, and the program that is built with it.
  struct Product {
    /// The name on the command line and in the table.
    let name: String

    /// What `GlobalAllocator.name` must answer in that program.
    let allocator: String
  }

  static let products = [
    Product(name: "system", allocator: "system"),
    Product(name: "jemalloc", allocator: "jemalloc"),
    Product(name: "mimalloc", allocator: "mimalloc"),
    Product(name: "tcmalloc", allocator: "tcmalloc"),
    Product(name: "nest", allocator: "nest"),
    Product(name: "default", allocator: "nest"),
  ]

  static let configuration = CommandConfiguration(
    commandName: "workloads",
    abstract: "Real work over real input, in one program for each Global… product. Runs when no command is named.",
    discussion: """
      json decodes and encodes a list of all languages, words indexes texts on four threads, trees builds and tears down \
      trees of class objects. The ratios are to GlobalSystem, which therefore always runs.
      """)

  @Option(help: ArgumentHelp("Which workloads.", valueName: "a,b"))
  var workloads = CommaSeparated(Workload.allCases.map(\.rawValue))

  @Option(help: ArgumentHelp("Which allocators, by the names of their products without Global.", valueName: "a,b"))
  var allocators = CommaSeparated(products.map(\.name))

  @OptionGroup
  var options: MeasuringOptions

  func run() throws {
    let workloads = try workloads.selection(of: Workload.allCases, named: \.rawValue, option: "--workloads")
    let chosen = try allocators.selection(of: Self.products, named: \.name, option: "--allocators")
    let baseline = Self.products[0]
    let products = [baseline] + chosen.filter { $0.name != baseline.name }
    let trials = try workloads.flatMap { workload in
      try products.map { product in
        Trial(
          subject: workload.rawValue, contender: product.name,
          command: Command(
            try Siblings.path(of: "Workloads-\(product.name)"), [workload.rawValue] + (options.quick ? ["1"] : [])),
          answer: { run throws(WrongOutput) in try Self.checksum(in: run, of: product) })
      }
    }
    try options.measure(trials, baseline: baseline.name, rounds: 7, note: Workload.inputDescription) { summary in
      [(nil, summary.table(subject: "workload", contender: "allocator"))]
    }
  }

  /// Takes the checksum from what the program printed, once that says that it ran on the right allocator.
  private static func checksum(in run: ProgramRun, of product: Product) throws(WrongOutput) -> String {
    let lines = run.output.split(whereSeparator: \.isNewline)
    guard lines.count == 2, lines[0].hasPrefix("allocator "), lines[1].hasPrefix("checksum ") else {
      throw WrongOutput("printed \"\(run.output)\"")
    }
    guard lines[0] == "allocator \(product.allocator)" else {
      throw WrongOutput("ran on \"\(lines[0])\", expected \"\(product.allocator)\"")
    }
    return String(lines[1])
  }
}

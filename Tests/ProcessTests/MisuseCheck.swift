// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation
import ProcessTestSupport
import XCTest

/// What each allocator finds of the misuses of `Tests/Fixtures/Misuse`: Nest has to find what glibc finds.
struct MisuseCheck: CustomStringConvertible {
  private struct Case {
    var name: String
    var kind: String
  }

  /// The kinds that Nest promises to find, with a message that names the pointer.
  private static let promised: Set<String> = [
    "double-free", "foreign", "interior", "not-yet-given", "realloc", "size",
  ]

  /// What hardened Nest promises to find in addition, by whichever sign. Of others it misses one now and then, as chance has it: what lies
  /// beside a block may be free, and not come to be used again.
  private static let promisedByHardened: Set<String> = ["overflow", "stale-size"]

  /// What glibc finds and Nest does not: patterns of whole names, and why. A case that Nest finds after all, or has promised
  /// to, may not stand here.
  private static let missed = try! [
    (
      "(overflow-by-(1|8|16|100)|overflow-by-zeros-.*|underflow-by-.*)-.*|overflow-by-5000-(medium|large|huge)",
      "glibc keeps the size of a block in front of it, and finds it overwritten. Nest's blocks lie side by side: the bytes"
        + " behind one are its neighbor's, of which the allocator knows nothing while that is in use"
    ),
    (
      "(write-after-free-at-.*|read-after-free|overflow-into-free-by-.*)-(large|huge)|write-after-realloc-large",
      "glibc gives a block of 128 KiB and more back to the system at once, so that touching it is a fault. Nest keeps its"
        + " pages for a while, and notes nothing in them"
    ),
    ("usable-size-after-free-medium", "glibc reads behind its heap, and so crashes by accident"),
  ].map { (names: try NSRegularExpression(pattern: "^(\($0.0))$"), reason: $0.1) }

  private func reason(toMiss name: String) -> String? {
    let all = NSRange(name.startIndex..., in: name)
    return Self.missed.first { $0.names.firstMatch(in: name, range: all) != nil }?.reason
  }

  /// A misuse is found when a signal ends the process: but not that of the limits, which the program sets itself.
  private func isFound(_ run: CommandResult) -> Bool { run.status < 0 && !isStuck(run) }

  private func isStuck(_ run: CommandResult) -> Bool { [-SIGXCPU, -SIGALRM].contains(run.status) }

  private let program: CProgram
  private let cases: [Case]
  private let glibc: [CommandResult]
  private var table: Table

  /// Runs all cases of a program on glibc.
  init(_ file: String = "Misuse/misuse.c", leastCases: Int = 200) throws {
    program = try CProgram(file)
    cases = try program.run().lines.map { line in
      let words = line.split(separator: " ").map(String.init)
      return Case(name: words[0], kind: words[1])
    }
    XCTAssertGreaterThanOrEqual(cases.count, leastCases)
    XCTAssertEqual(Set(cases.map(\.name)).count, cases.count, "a name stands for two cases")
    table = Table(cases.map(\.kind))
    glibc = try program.run(each: cases.map(\.name))
    table.add("glibc", found: glibc.map(isFound))
  }

  /// Runs all cases on Nest, and compares.
  mutating func checkNest(_ configuration: FixturePackage.Configuration) throws {
    let nest = try run("nest \(configuration)", PreloadLibrary.nest.path(configuration))
    for index in cases.indices { check(cases[index], glibc[index], nest[index], configuration) }
  }

  /// Runs all cases on hardened Nest, which has to find nine in ten, and all that it promises.
  mutating func checkHardenedNest(_ configuration: FixturePackage.Configuration) throws {
    let nest = try run("hardened \(configuration)", PreloadLibrary.nestHardened.path(configuration))
    for index in cases.indices {
      let name = "\(cases[index].name), hardened, \(configuration)"
      XCTAssertLessThanOrEqual(nest[index].status, 0, "\(name) did not run: \(nest[index].transcript)")
      XCTAssertFalse(isStuck(nest[index]), "\(name) did not end")
      if Self.promised.contains(cases[index].kind) { checkMessage(nest[index], name) }
      if Self.promisedByHardened.contains(cases[index].kind) {
        XCTAssertTrue(isFound(nest[index]), "\(name): \(nest[index].transcript)")
      }
    }
    XCTAssertGreaterThanOrEqual(nest.count(where: isFound) * 10, cases.count * 9)
  }

  /// Runs all cases on hardened Nest, which has to find those of a kind.
  mutating func checkHardenedNestFindsAll(of kind: String, _ configuration: FixturePackage.Configuration) throws {
    let nest = try run("hardened \(configuration)", PreloadLibrary.nestHardened.path(configuration))
    for index in cases.indices {
      XCTAssertLessThanOrEqual(nest[index].status, 0, "\(cases[index].name) did not run: \(nest[index].transcript)")
      if cases[index].kind == kind { checkMessage(nest[index], "\(cases[index].name), hardened, \(configuration)") }
    }
  }

  /// Runs all cases on a library, for the table alone.
  @discardableResult
  mutating func run(_ allocator: String, _ library: String) throws -> [CommandResult] {
    let runs = try program.run(each: cases.map(\.name), preloading: library)
    table.add(allocator, found: runs.map(isFound))
    return runs
  }

  /// Runs all cases on the allocators that are installed, and on Scudo where clang brings it, for the table alone.
  mutating func runInstalled() throws {
    for library in BenchmarkKit.PreloadLibrary.known.compactMap(\.installed) { try run(library.name, library.path) }
    // Where clang has none it answers with the name alone.
    let answer = try CommandResult.run(["clang", "-print-file-name=libclang_rt.scudo_standalone-x86_64.so"])
    if let scudo = answer.lines.first, scudo.hasPrefix("/") { try run("scudo", scudo) }
  }

  var description: String { table.description }

  private func check(
    _ misuse: Case, _ glibc: CommandResult, _ nest: CommandResult, _ configuration: FixturePackage.Configuration
  ) {
    let name = "\(misuse.name), \(configuration)"
    XCTAssertLessThanOrEqual(nest.status, 0, "\(name) did not run: \(nest.transcript)")
    XCTAssertFalse(isStuck(nest), "\(name) did not end")
    let reason = reason(toMiss: misuse.name)
    if isFound(glibc) && reason == nil {
      XCTAssertTrue(isFound(nest), "\(name): glibc finds it, Nest does not. \(glibc.transcript)")
    }
    if reason != nil && isFound(glibc) {
      XCTAssertFalse(isFound(nest), "\(name): Nest finds it after all. \(nest.transcript)")
    }
    guard Self.promised.contains(misuse.kind) else { return }
    XCTAssertNil(reason, "\(name) is promised")
    checkMessage(nest, name)
  }

  private func checkMessage(_ nest: CommandResult, _ name: String) {
    XCTAssertEqual(nest.status, -SIGABRT, name)
    // It may be found before the call that the case is about.
    let pointer = nest.lines.first ?? "0x[0-9a-f]+"
    XCTAssertNotNil(
      nest.standardError.range(of: "^nest: .*: \(pointer)\n$", options: .regularExpression),
      "\(name): \(nest.transcript)")
  }

  /// Counts of what was found, by kind and allocator.
  private struct Table: CustomStringConvertible {
    private let kinds: [String]
    private var columns: [(name: String, found: [Bool])] = []

    init(_ kinds: [String]) { self.kinds = kinds }

    mutating func add(_ name: String, found: [Bool]) { columns.append((name, found)) }

    var description: String {
      var names: [String] = []
      for kind in kinds where !names.contains(kind) { names.append(kind) }
      let rows = names.map { name in row(name, kinds.indices.filter { kinds[$0] == name }) }
      var table = TextTable(
        [("misuses found", .left), ("of", .right)] + columns.map { (title: $0.name, alignment: .right) })
      for cells in rows + [row("all", Array(kinds.indices))] { table.addRow(cells) }
      return table.lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ cases: [Int]) -> [String] {
      [name, "\(cases.count)"] + columns.map { column in "\(cases.count { column.found[$0] })" }
    }
  }
}

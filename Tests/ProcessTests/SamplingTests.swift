// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// Sampled blocks, in both flavours: what is found, and what is said of it.
final class SamplingTests: XCTestCase {
  private static let libraries = [PreloadLibrary.nest, .nestHardened]

  private typealias Trial = (misuse: String, size: Int)

  private static func run(
    _ program: CProgram, _ misuse: String, _ size: Int, _ count: Int, _ library: PreloadLibrary, sampling: String?
  ) throws -> CommandResult {
    try run(program, [(misuse, size)], count, library, sampling: sampling)[0]
  }

  /// Runs it once for each, as many at a time as there are processors.
  private static func run(
    _ program: CProgram, _ trials: [Trial], _ count: Int, _ library: PreloadLibrary, sampling: String?
  ) throws -> [CommandResult] {
    var environment = ["LD_PRELOAD": try library.path(.release)]
    if let sampling { environment["NEST_SAMPLE"] = sampling }
    return try CommandResult.run(
      all: trials.map { [program.path, $0.misuse, "\($0.size)", "\(count)"] }, environment: environment)
  }

  /// Every second block begins its page, and the others end it: of 200, there are both.
  func testEachMisuseOfASampledBlock() throws {
    let program = try CProgram("Misuse/sampled.c")
    let misuses = [
      ("read-after-release", "use of a block after its release"),
      ("write-after-release", "use of a block after its release"),
      ("release-twice", "free of a block that is free already"),
      ("release-inside", "free of a pointer into the middle of a block"),
      ("resize-after-release", "realloc of a "), ("measure-after-release", "malloc_usable_size of a "),
      ("overflow", "t(ouch of what is behind|he bytes around) a block"),
      ("underflow", "touch of what is before a block"),
    ]
    let symbols = try symbols(of: program)
    for library in Self.libraries {
      for size in [40, 4000] {
        let runs = try Self.run(program, misuses.map { ($0.0, size) }, 200, library, sampling: "1")
        for ((misuse, message), run) in zip(misuses, runs) {
          XCTAssertEqual(run.status, -SIGABRT, "\(misuse) \(size): \(run.transcript)")
          XCTAssertNotNil(
            run.standardError.range(
              of: "^nest: \(message).*, in a sampled block of [0-9]+ bytes, at byte -?[0-9]+: 0x[0-9a-f]+\n",
              options: .regularExpression), "\(misuse) \(size): \(run.transcript)")
          let sections = sections(run, program, symbols)
          XCTAssert(sections["allocated", default: []].contains("allocate_it"), "\(sections) \(run.transcript)")
          XCTAssertEqual(
            sections["released", default: []].contains("release_it"),
            misuse.hasSuffix("after-release") || misuse == "release-twice",
            "\(sections) \(run.transcript)")
        }
      }
    }
  }

  private func symbols(of program: CProgram) throws -> [(UInt, String)] {
    try CommandResult.run(["nm", "-n", "--defined-only", program.path]).lines.compactMap { line in
      let words = line.split(separator: " ")
      return words.count == 3 ? UInt(words[0], radix: 16).map { ($0, String(words[2])) } : nil
    }
  }

  /// The functions of the program that the stacks of a message name, by what the stack is of.
  private func sections(
    _ run: CommandResult, _ program: CProgram, _ symbols: [(UInt, String)]
  ) -> [String: [String]] {
    var (sections, section): ([String: [String]], String) = ([:], "")
    for line in run.standardError.split(separator: "\n").dropFirst() {
      if !line.hasPrefix(" ") {
        section = String(line.split(whereSeparator: { " :".contains($0) })[0])
      } else if let place = line.range(of: "\(program.path)+0x"),
        let offset = UInt(line[place.upperBound...], radix: 16)
      {
        if let symbol = symbols.last(where: { $0.0 < offset }) { sections[section, default: []].append(symbol.1) }
      }
    }
    return sections
  }

  /// In a loop that has each block at hand, as no slow path ever sees: a size is taken out of the thread's table a few times a second.
  func testBlocksOfASteadyLoopAreSampled() throws {
    let program = try CProgram("Misuse/sampled.c")
    try concurrently(TestEffort.choice(Self.libraries, quick: [.nest])) { library in
      let run = try Self.run(program, "read-after-release", 40, 4_000_000_000, library, sampling: "1000000000")
      XCTAssertEqual(run.status, -SIGABRT, run.transcript)
      XCTAssert(run.standardError.contains("in a sampled block of 4"), run.transcript)
    }
  }

  func testNothingIsFoundWithoutOrWhereNothingIsWrong() throws {
    let program = try CProgram("Misuse/sampled.c")
    let run = try Self.run(program, "read-after-release", 40, 10_000, .nest, sampling: nil)
    XCTAssertEqual(run.status, 0, run.transcript)
    for library in Self.libraries {
      let sizes = [0, 1, 40, 1000, 4090, 20_000]
      for sampling in ["1", "7"] {
        let runs = try Self.run(program, sizes.map { ("nothing", $0) }, 20_000, library, sampling: sampling)
        for (size, run) in zip(sizes, runs) {
          XCTAssertEqual(run.status, 0, "\(size): \(run.transcript)")
          XCTAssertEqual(run.standardError, "", "\(size)")
        }
      }
    }
  }

  func testWalksMeetSampledBlocks() throws {
    let program = try CProgram("Misuse/sampled.c")
    for library in Self.libraries {
      for sampling in ["1", "2", nil] {
        let run = try Self.run(program, "walk", 100, 0, library, sampling: sampling)
        XCTAssertEqual(run.status, 0, run.transcript)
      }
    }
  }
}

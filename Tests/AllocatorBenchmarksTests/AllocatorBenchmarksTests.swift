// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import TestEffort
import XCTest

/// Runs the executable as a user does.
final class AllocatorBenchmarksTests: XCTestCase {
  private func run(_ arguments: [String], in folder: URL = Built.folder) throws -> ProgramRun {
    try Built.run(Command(folder.appendingPathComponent("AllocatorBenchmarks").path, arguments))
  }

  private func words(_ run: ProgramRun) -> [[String]] {
    run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
  }

  func testQuickRunComparesTheProductsAndWritesTheSamples() throws {
    try Built.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("report.json")
      let run = try run(["--quick", "--workloads", "json,words", "--allocators", "jemalloc", "--json", file.path])
      XCTAssertNil(run.failure)
      let rows = words(run)
      XCTAssertEqual(rows.filter { $0.starts(with: ["json", "system"]) }.count, 1)
      XCTAssertEqual(rows.filter { $0.starts(with: ["words", "system"]) }.count, 1)
      XCTAssertEqual(rows.filter { $0.first == "jemalloc" }.count, 3, "two workloads and the geometric mean")
      XCTAssert(run.errorOutput.contains("[4/4] words "), run.errorOutput)

      let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: file))
      XCTAssertEqual(report.samples.count, 4)
      XCTAssertEqual(report.summary.baseline, "system")
      XCTAssert(report.samples.allSatisfy { $0.failure == nil && $0.peakResidentBytes > 1 << 20 && $0.wallSeconds > 0 })
    }
  }

  /// Puts the program that runs on jemalloc where the one that runs on the system's allocator is expected.
  func testProgramThatRunsOnAnotherAllocatorIsNotMeasuredUnderItsName() throws {
    try Built.withTemporaryFolder { folder in
      for (source, target) in [
        ("AllocatorBenchmarks", "AllocatorBenchmarks"), ("benchmark-launcher", "benchmark-launcher"),
        ("Workloads-jemalloc-tool", "Workloads-jemalloc"), ("Workloads-jemalloc-tool", "Workloads-system"),
      ] {
        try FileManager.default.copyItem(atPath: Built.path(of: source), toPath: folder.path + "/" + target)
      }
      let run = try run(["--quick", "--workloads", "json", "--allocators", "jemalloc"], in: folder)
      XCTAssertEqual(run.ending, .exited(1))
      let line = "failed: json on system: ran on \"allocator jemalloc\", expected \"system\""
      XCTAssert(run.output.contains(line), run.output)
    }
  }

  func testUnknownNamesAreRefused() throws {
    for arguments in [
      ["--allocators", "system,nope"], ["shapes", "--shapes", "nope"], ["scale", "--rows", "nope"],
      ["--workloads", ""],
    ] {
      XCTAssertEqual(try run(arguments).ending, .exited(64), "\(arguments)")
    }
    let message = try run(["--allocators", "system,nope"]).errorOutput
    XCTAssert(message.contains("--allocators: there is no 'nope'. There are system, jemalloc"), message)
  }

  /// Each row has a figure for each allocator, and what jemalloc does for sparse blocks is not what glibc does: the library is
  /// the one that its column names. By default without the row that waits.
  func testScaleRunsEachRowUnderEachAllocator() throws {
    let names = TestEffort.choice(["sparse", "drop-2"], quick: ["sparse"])
    let run = try run(["scale", "--rows", names.joined(separator: ","), "--allocators", "jemalloc", "--rounds", "1"])
    XCTAssertNil(run.failure, run.output)
    let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    XCTAssertEqual(lines.first { $0.contains("jemalloc") }, ["glibc", "jemalloc"])
    let rows = lines.filter { $0.contains("threads,") || $0.contains("block") }
    XCTAssertEqual(rows.count, names.count == 1 ? 1 : 5, run.output)
    for row in rows { XCTAssert(row.suffix(2).allSatisfy { (Double($0) ?? 0) > 0 }, "\(row)") }
    guard names.contains("drop-2") else { return }
    // 200 MiB of blocks, whoever serves them.
    let peak = rows.first { $0.contains("peak") }?.suffix(2).compactMap { Double($0) } ?? []
    XCTAssert(peak.count == 2 && peak.allSatisfy { (190..<500).contains($0) }, "\(peak)")
  }

  func testQuickRunOfShapesComparesThePreloadedAllocators() throws {
    let jemalloc = try XCTUnwrap(PreloadLibrary.known.first?.installed, "libjemalloc-dev brings libjemalloc2")
    // The library under another name, as the one of nest is given.
    let run = try run(["shapes", "--quick", "--nest", jemalloc.path, "--allocators", "nest", "--shapes", "small,churn"])
    XCTAssertNil(run.failure)
    let rows = words(run)
    XCTAssertEqual(rows.filter { $0 == ["shape", "nest"] }.count, 3, run.output)
    XCTAssertEqual(rows.filter { $0.first == "churn" }.count, 3)
    XCTAssertEqual(rows.filter { $0.starts(with: ["geometric", "mean"]) }.count, 3)
  }

  /// The dynamic linker ignores what it cannot load, and the program then runs on glibc.
  func testLibraryThatWasNotLoadedIsNotMeasuredUnderItsName() throws {
    try Built.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("libBroken.so").path
      try Data("not a library".utf8).write(to: URL(fileURLWithPath: file))
      let run = try run(["shapes", "--quick", "--nest", file, "--allocators", "nest", "--shapes", "small"])
      XCTAssertEqual(run.ending, .exited(1))
      XCTAssert(run.output.contains("failed: small on nest: malloc was of "), run.output)
    }
  }
}

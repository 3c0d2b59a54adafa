// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import XCTest

/// Runs the executable as a user does.
final class AllocatorBenchmarksTests: XCTestCase {
  /// Where the package manager built the executables.
  private let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

  private func run(_ arguments: [String], in folder: URL? = nil) throws -> ProgramRun {
    let folder = folder ?? self.folder
    return try ProgramLauncher(path: folder.appendingPathComponent("benchmark-launcher").path)
      .run(Command(folder.appendingPathComponent("AllocatorBenchmarks").path, arguments), timeoutSeconds: 300)
  }

  func testQuickRunComparesTheProductsAndWritesTheSamples() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let run = try run(["--quick", "--workloads", "json,words", "--allocators", "jemalloc", "--json", file.path])
    XCTAssertNil(run.failure)
    let rows = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    XCTAssertEqual(rows.filter { $0.starts(with: ["json", "system"]) }.count, 1)
    XCTAssertEqual(rows.filter { $0.starts(with: ["words", "system"]) }.count, 1)
    XCTAssertEqual(rows.filter { $0.first == "jemalloc" }.count, 3, "two workloads and the geometric mean")
    XCTAssert(run.errorOutput.contains("[4/4] words "), run.errorOutput)

    let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: file))
    XCTAssertEqual(report.samples.count, 4)
    XCTAssertEqual(report.summary.baseline, "system")
    XCTAssert(report.samples.allSatisfy { $0.failure == nil && $0.peakResidentBytes > 1 << 20 && $0.wallSeconds > 0 })
  }

  /// Puts the program that runs on jemalloc where the one that runs on the system's allocator is expected.
  func testProgramThatRunsOnAnotherAllocatorIsNotMeasuredUnderItsName() throws {
    let other = FileManager.default.temporaryDirectory.appendingPathComponent("swapped-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: other) }
    for (source, target) in [
      ("AllocatorBenchmarks", "AllocatorBenchmarks"), ("benchmark-launcher", "benchmark-launcher"),
      ("Workloads-jemalloc-tool", "Workloads-jemalloc"), ("Workloads-jemalloc-tool", "Workloads-system"),
    ] {
      try FileManager.default.copyItem(
        at: folder.appendingPathComponent(source), to: other.appendingPathComponent(target))
    }
    let run = try run(["--quick", "--workloads", "trees", "--allocators", "jemalloc"], in: other)
    XCTAssertEqual(run.ending, .exited(1))
    let line = "failed: trees on system: ran on \"allocator jemalloc\", expected \"system\""
    XCTAssert(run.output.contains(line), run.output)
  }

  func testUnknownNamesAreRefused() throws {
    let run = try run(["--allocators", "system,nope"])
    XCTAssertEqual(run.ending, .exited(64))
    XCTAssert(run.errorOutput.contains("--allocators: there is no 'nope'. There are system, jemalloc"), run.errorOutput)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation
import ProcessTestSupport
import XCTest

/// What the library costs a program that hardly allocates.
final class PreloadCostTests: XCTestCase {
  /// glibc holds little thread-local storage ready for libraries that come late: with more than that, dlopen fails.
  func testLibraryCanBeOpenedLate() throws {
    let program = try CProgram("PreloadPrograms/open_library.c")
    for configuration in [FixturePackage.Configuration.debug, .release] {
      let library = try PreloadLibrary.nest.path(configuration)
      let opened = try program.run([library])
      XCTAssertEqual(opened.status, 0, "\(configuration): \(opened.transcript)")
    }
  }

  func testThreadLocalStorageIsSmall() throws {
    for configuration in [FixturePackage.Configuration.debug, .release] {
      let library = try PreloadLibrary.nest.path(configuration)
      let segments = try CommandResult.run(["readelf", "-lW", library]).lines.map { $0.split(separator: " ") }
      // TLS, offset, virtual and physical address, size in the file, size in memory.
      let sizes = segments.filter { $0.first == "TLS" && $0.count > 5 }
        .compactMap { Int($0[5].dropFirst(2), radix: 16) }
      XCTAssertEqual(sizes.count, 1, "\(segments)")
      XCTAssertLessThan(sizes.first ?? .max, 64, "\(configuration)")
    }
  }

  /// Peak memory of a program that does nothing: the allocator's own, beside glibc's, which is mapped anyway.
  func testPeakMemoryOfAProgramThatDoesNothing() throws {
    let program = try CProgram("PreloadPrograms/hello.c")
    let library = try PreloadLibrary.nest.path(.release)
    let launcher = ProgramLauncher(
      path: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("benchmark-launcher").path)
    func peak(_ environment: [String: String?]) throws -> Int {
      let run = try launcher.run(Command(program.path, environment: environment), timeoutSeconds: 60)
      XCTAssertNil(run.failure)
      XCTAssertEqual(run.output, "hello\n")
      return run.peakResidentBytes
    }
    var peaks: (glibc: [Int], nest: [Int]) = ([], [])
    for _ in 0..<21 {
      peaks.glibc.append(try peak(["LD_PRELOAD": nil]))
      peaks.nest.append(try peak(["LD_PRELOAD": library]))
    }
    let (glibc, nest) = (peaks.glibc.sorted()[10], peaks.nest.sorted()[10])
    print("peak of hello world: \(glibc >> 10) KiB on glibc, \(nest >> 10) KiB on Nest")
    XCTAssertLessThanOrEqual(Double(nest) / Double(glibc), 1.1, "\(peaks)")
  }
}

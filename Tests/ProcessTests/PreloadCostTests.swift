// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

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

  /// The first chunk grows with the heap. A whole one at once would be two huge pages, where the system makes them of all memory.
  func testAddressSpaceOfASmallProgramIsSmall() throws {
    let run = try CProgram("PreloadPrograms/growth.c").run(preloading: PreloadLibrary.nest.path(.release))
    XCTAssertEqual(run.status, 0, run.transcript)
    let growth = try XCTUnwrap(Int(run.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)), run.transcript)
    XCTAssertGreaterThan(growth, 256)
    XCTAssertLessThan(growth, 2048)
  }

  /// Memory of a program that does nothing: the allocator's own, beside glibc's, which is mapped anyway.
  ///
  /// 128 KiB of what is more are pages of files, of the library itself and of libc, that the system maps around those that
  /// are touched, and shares between processes.
  func testMemoryOfAProgramThatDoesNothing() throws {
    let program = try CProgram("PreloadPrograms/hello.c")
    let library = try PreloadLibrary.nest.path(.release)
    // Pages of a file that was just written count as dirty until they are on the disk.
    for file in [program.path, library] {
      let written = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      try written.synchronize()
      try written.close()
    }
    func memory(_ environment: [String: String]) throws -> (resident: Int, private: Int) {
      let run = try CommandResult.run([program.path], environment: environment)
      XCTAssertEqual(run.status, 0, run.transcript)
      XCTAssertTrue(run.standardOutput.hasPrefix("hello\n"), run.transcript)
      func kibibytes(_ name: String) -> Int {
        let line = run.standardOutput.split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
      }
      return (kibibytes("Rss"), kibibytes("Private_Dirty"))
    }
    func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }
    var glibc: [(resident: Int, private: Int)] = []
    var nest = glibc
    for _ in 0..<21 {
      glibc.append(try memory([:]))
      nest.append(try memory(["LD_PRELOAD": library]))
    }
    let resident = (glibc: median(glibc.map(\.resident)), nest: median(nest.map(\.resident)))
    let dirty = (glibc: median(glibc.map(\.private)), nest: median(nest.map(\.private)))
    print("KiB, its own: glibc \(resident.glibc), \(dirty.glibc); Nest \(resident.nest), \(dirty.nest)")
    XCTAssertGreaterThan(dirty.glibc, 0)
    // 1.13 to 1.25 was seen, as the system maps files that others use at the time.
    XCTAssertLessThanOrEqual(Double(resident.nest), 1.35 * Double(resident.glibc))
    // 80 to 88 on the machine that this was written on, of which 8 are for a page that is read-only; a page more or less, as the system
    // lays things out.
    XCTAssertLessThanOrEqual(dirty.nest, dirty.glibc + 96)
  }
}

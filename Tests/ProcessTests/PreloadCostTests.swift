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
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Programs that are linked with `-static-executable`, where glibc's allocator may not come along with another one.
final class SlowStaticExecutableTests: SlowTestCase {
  func testDebug() throws { try check(.debugStaticExecutable) }

  func testRelease() throws { try check(.staticExecutable) }

  private func check(_ configuration: FixturePackage.Configuration) throws {
    for (name, allocator) in [("AppNest", "nest"), ("AppDefault", "nest"), ("AppSystem", "system")] {
      let program = try FixturePackage.programs.path(configuration, of: name, product: name)
      let dynamic = try CommandResult.run(["readelf", "-d", program])
      XCTAssertTrue(dynamic.standardOutput.contains("There is no dynamic section"), "\(name): \(dynamic.transcript)")
      let named = try CommandResult.run([program, "name"])
      XCTAssertEqual(named.lines, [allocator], "\(name), \(configuration): \(named.transcript)")
      let laws = try CommandResult.run([program, "laws"])
      XCTAssertEqual(laws.status, 0, "\(name), \(configuration): \(laws.transcript)")
      try ArtifactCheck().checkRelease(program)
    }
  }
}

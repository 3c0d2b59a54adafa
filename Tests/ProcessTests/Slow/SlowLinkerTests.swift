// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ProcessTestSupport
import XCTest

/// Every linker. Whether an executable exports its `malloc` to the libraries is up to it.
final class SlowLinkerTests: SlowTestCase {
  private static let linkers = ["gold", "lld", "bfd"]

  /// By every linker, and with every way to link the standard library.
  func testMallocFamily() throws {
    for base in [FixturePackage.Configuration.debug, .release, .staticStandardLibrary] {
      let configuration = base.with("linkers")
      for linker in Self.linkers {
        for program in ["CasesOnFive", "Server"] {
          let product = "\(program)-\(linker)"
          let path = try FixturePackage.programs.path(configuration, of: product, product: product)
          let arguments = program == "Server" ? [] : ["counted", "arrays", "functions", "early"]
          let run = try CommandResult.run([path] + arguments)
          XCTAssertEqual(run.status, 0, "\(product), \(configuration): \(run.transcript)")
          let output = program == "Server" ? ["counting 64795355 100 all through malloc"] : []
          XCTAssertEqual(run.lines, output, "\(product), \(configuration): \(run.transcript)")
        }
      }
    }
  }

  func testInstallation() throws {
    for linker in Self.linkers {
      let program = "InstalledFamily-\(linker)"
      try InstallationCheck().check(
        (program: program, name: "custom", library: program), .release.with("linkers"), product: program)
    }
  }

  func testTwoAllocatorsDoNotLink() throws {
    for linker in Self.linkers where CommandResult.locate("ld.\(linker)") != nil {
      for configuration in [FixturePackage.Configuration.debug, .release] {
        try RejectionTests.checkTwoAllocators(configuration.with("linkers"), product: "TwoAllocators-\(linker)")
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The malloc family in programs that link it, over an allocator with the five functions alone and over one with all of
/// `MallocABI`: one process for each case of `Tests/Fixtures/MallocFamily`.
final class MallocFamilyTests: XCTestCase {
  /// What each C function has to do, and where the life of a process goes wrong.
  static let cases = [
    "functions", "alignment", "huge", "products", "errno", "zero", "calloc", "realloc", "statistics", "out-of-memory",
    "thread-destructors", "threads", "busy-fork", "fork-in-handler", "vfork", "exit", "early", "dlopen",
  ]

  private static let programs = ["CasesOnFive", "CasesOnNative"]

  func testCasesInDebugBuild() throws { try runCases(.debug) }

  func testCasesInReleaseBuild() throws { try runCases(.release) }

  /// Every linker, every way to link the standard library.
  func testLinkers() throws {
    let package = try FixturePackage("MallocFamily")
    for configuration in [FixturePackage.Configuration.debug, .release, .staticStandardLibrary] {
      for linker in ["gold", "lld", "bfd"] {
        setenv("FIXTURE_LINKER", linker, 1)
        defer { unsetenv("FIXTURE_LINKER") }
        for program in ["CasesOnFive", "Server"] {
          let path = try package.build(configuration, product: program).appendingPathComponent(program).path
          let arguments = program == "Server" ? [] : ["counted", "arrays", "functions", "early"]
          let run = try CommandResult.run([path] + arguments)
          XCTAssertEqual(run.status, 0, "\(program), \(configuration), \(linker): \(run.transcript)")
          let output = program == "Server" ? ["counting 64795355 100 all through malloc"] : []
          XCTAssertEqual(run.lines, output, "\(program), \(configuration), \(linker): \(run.transcript)")
        }
      }
    }
  }

  /// A sanitizer is malloc itself, and finds what it is there to find.
  func testSanitizersKeepTheirMalloc() throws {
    let package = try FixturePackage("MallocFamily")
    for (option, name) in [("address", "AddressSanitizer"), ("thread", "ThreadSanitizer")] {
      let configuration = FixturePackage.Configuration("sanitize-\(option)", ["-c", "debug", "--sanitize=\(option)"])
      let program = try package.build(configuration, product: "CasesOnFive").appendingPathComponent("CasesOnFive").path
      let named = try CommandResult.run([program, "name", "arrays"])
      XCTAssertEqual(named.lines, ["counting (malloc: \(name))"], named.transcript)
      XCTAssertEqual(named.status, 0, named.transcript)
      if option == "address" {
        let misuse = try CommandResult.run([program, "double-free"])
        XCTAssertTrue(misuse.standardError.contains("attempting double-free"), misuse.transcript)
      }
    }
  }

  /// Misuse of a block with a header ends the process with a message that names the pointer and the cause.
  func testMisuseOfHeaderedBlocks() throws {
    let program = try FixturePackage("MallocFamily").build(.debug).appendingPathComponent("CasesOnFive").path
    for misuse in ["double-free", "foreign-free"] {
      let run = try CommandResult.run([program, misuse], environment: ["SWIFT_BACKTRACE": "enable=no"])
      XCTAssertEqual(run.status, -SIGABRT, run.transcript)
      let message =
        #/swift-allocators: deallocate\(0x[0-9a-f]{16}\): no live block of this allocator: released before, .*\n/#
      XCTAssertNotNil(run.standardError.wholeMatch(of: message), "\(misuse): \(run.transcript)")
    }
  }

  private func runCases(_ configuration: FixturePackage.Configuration) throws {
    let products = try FixturePackage("MallocFamily").build(configuration)
    let environment = ["GUEST_LIBRARY": products.appendingPathComponent("libGuest.so").path]
    for program in Self.programs {
      let path = products.appendingPathComponent(program).path
      // One of the allocators can give memory back.
      let trim = program == "CasesOnNative" ? "trim" : "no-trim"
      for name in ["counted", "cxx", "arrays", "chunks", trim] + Self.cases {
        let run = try CommandResult.run([path, name], environment: environment)
        XCTAssertEqual(run.status, 0, "\(program) \(name), \(configuration): \(run.transcript)")
        XCTAssertEqual(run.lines, name == "exit" ? ["atexit"] : [], "\(program) \(name): \(run.transcript)")
        XCTAssertEqual(
          run.standardError, name == "statistics" ? "malloc: allocator counting\n" : "", "\(program) \(name)")
      }
    }
  }
}

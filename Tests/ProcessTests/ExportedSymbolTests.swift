// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The exported symbols as clients in other languages call them, through a dynamic library product.
final class ExportedSymbolTests: XCTestCase {
  func testCProgramOnDynamicLibrary() throws {
    let products = try FixturePackage.programs.build(.debug)
    for (library, name) in [("JemallocPlugin", "jemalloc"), ("SystemPlugin", "system"), ("GuestPlugin", "system")] {
      let source = Repository.fixtures.appendingPathComponent("CClient/main.c").path
      let program = try CompiledFixture.file("c-client-\(library)") { program in
        ["clang", "-Wall", "-Werror", source, "-o", program, "-L", products.path, "-l\(library)"]
          + (try rpaths(products)).map { "-Wl,-rpath,\($0)" }
      }
      let run = try CommandResult.run([program])
      XCTAssertEqual(run.status, 0, "\(library): \(run.transcript)")
      XCTAssertEqual(run.lines, [name], "\(library): \(run.transcript)")
    }
  }

  func testRustProgram() throws {
    guard let rustc = CommandResult.locate("rustc") else {
      throw XCTSkip("skipped: no rustc in PATH, so no Rust program was run on the exported symbols")
    }
    let products = try FixturePackage.programs.build(.debug)
    for (library, name) in [("JemallocPlugin", "jemalloc"), ("SystemPlugin", "system")] {
      let source = Repository.fixtures.appendingPathComponent("RustClient/main.rs").path
      let program = try CompiledFixture.file("rust-client-\(library)") { program in
        [rustc, "--edition", "2021", "-O", source, "-o", program, "-L", products.path, "-l", library]
          + (try rpaths(products)).flatMap { ["-C", "link-arg=-Wl,-rpath,\($0)"] }
      }
      let run = try CommandResult.run([program])
      XCTAssertEqual(run.status, 0, run.transcript)
      // 4 threads × 1000 words × (0 + … + 19); primes below 50,000; digits of the strings left in the queue.
      XCTAssertEqual(run.lines, ["\(name) 760000 5133 26664"], run.transcript)
    }
  }

  /// The run paths by which a program finds the fixture's libraries and the Swift runtime.
  private func rpaths(_ products: URL) throws -> [String] {
    let info = try CommandResult.run(["swiftc", "-print-target-info"])
    let object = try JSONSerialization.jsonObject(with: Data(info.standardOutput.utf8)) as? [String: Any]
    let paths = object?["paths"] as? [String: Any]
    return [products.path] + (try XCTUnwrap(paths?["runtimeLibraryPaths"] as? [String]))
  }
}

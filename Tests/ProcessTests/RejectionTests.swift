// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// What must not build, and the words that the user gets.
final class RejectionTests: XCTestCase {
  func testTwoAllocatorsDoNotLink() throws {
    for configuration in [FixturePackage.Configuration.debug, .release] {
      try Self.checkTwoAllocators(configuration.with("mistakes"), product: "TwoAllocators")
    }
  }

  /// Checks that a product with two allocators does not link, and that the linker's first message names the mistake.
  static func checkTwoAllocators(_ configuration: FixturePackage.Configuration, product: String) throws {
    func isNamedFirst(_ result: CommandResult) -> Bool {
      let complaints = result.transcript.split(separator: "\n").filter {
        $0.contains("multiple definition of") || $0.contains("duplicate symbol")
      }
      return complaints.first?.contains(
        "ERROR_two_allocators_are_linked__name_only_one_Global_product_in_Package_swift") ?? false
    }
    let result = try FixturePackage.programs.tryBuilding(configuration, product: product) {
      $0.status != 0 && isNamedFirst($0)
    }
    XCTAssertNotEqual(result.status, 0, "\(configuration) \(product)")
    XCTAssertTrue(
      isNamedFirst(result),
      "\(configuration) \(product): the linker's first message has to name the mistake:\n\(result.transcript)")
  }

  /// In a debug build, where the compiler sees the least. `SlowPackageTests` does the same in a release build.
  func testAllocatorThatAllocatesDoesNotCompile() throws { try Self.checkMistakes(.debug) }

  static func checkMistakes(_ configuration: FixturePackage.Configuration) throws {
    let configuration = configuration.with("mistakes")
    let sound = try FixturePackage.programs.tryBuilding(configuration, target: "GlobalSound") { $0.status == 0 }
    XCTAssertEqual(sound.status, 0, "the same allocator without the mistake compiles: \(sound.transcript)")

    // Which of the compiler's words it is depends on how far it looks into the function.
    let diagnostics = [
      "can cause metadata allocation or locks", "can cause locking",
      "is not available in this module and can have unpredictable performance",
    ]
    func isRefused(_ result: CommandResult) -> Bool {
      result.transcript.split(separator: "\n").contains { line in
        line.contains("ExportedSymbols.swift") && line.contains("error: ")
          && diagnostics.contains { line.contains($0) }
      }
    }
    for target in ["GlobalAllocating", "GlobalLocking"] {
      let result = try FixturePackage.programs.tryBuilding(configuration, target: target) {
        $0.status != 0 && isRefused($0)
      }
      XCTAssertNotEqual(result.status, 0, "\(configuration) \(target)")
      XCTAssertTrue(isRefused(result), "\(configuration) \(target): \(result.transcript)")
    }
  }

  func testMissingLibraryIsNamedWithItsPackage() throws {
    let packages = [
      "Jemalloc": "libjemalloc-dev", "Mimalloc": "libmimalloc-dev", "Tcmalloc": "libgoogle-perftools-dev",
    ]
    for (library, package) in packages {
      let header = Repository.root.appendingPathComponent("Sources/C\(library)/C\(library).h").path
      let installed = try CommandResult.run(["clang", "-fsyntax-only", "-x", "c", header])
      XCTAssertEqual(installed.status, 0, installed.transcript)
      // Without the system's folders of headers the library's cannot be found either.
      let missing = try CommandResult.run(["clang", "-nostdinc", "-fsyntax-only", "-x", "c", header])
      XCTAssertNotEqual(missing.status, 0)
      XCTAssertTrue(missing.standardError.contains("apt-get install \(package)"), missing.transcript)
    }
  }

  func testDeallocatingNilDoesNotTypeCheck() throws {
    let result = try checkTypes(of: "GlobalAllocator.deallocate(nil, oldSize: 1, align: 1)")
    XCTAssertNotEqual(result.status, 0)
    XCTAssertTrue(
      result.standardError.contains("'nil' is not compatible with expected argument type 'UnsafeMutableRawPointer'"),
      result.transcript)
    // The same call of a pointer does.
    let sound = try checkTypes(
      of: "GlobalAllocator.deallocate(GlobalAllocator.allocate(size: 1, align: 1)!, oldSize: 1, align: 1)")
    XCTAssertEqual(sound.status, 0, sound.transcript)
  }

  /// Against the modules that the tests themselves are built of.
  private func checkTypes(of statement: String) throws -> CommandResult {
    let folder = try TemporaryFolder()
    let source = folder.path("statement.swift")
    try "import AllocatorABI\n\(statement)\n".write(toFile: source, atomically: true, encoding: .utf8)
    let headers = Repository.root.appendingPathComponent("Sources/CAllocatorSupport/include").path
    let map = Repository.products.appendingPathComponent("CAllocatorSupport.build/module.modulemap").path
    return try CommandResult.run([
      "swiftc", "-typecheck", "-I", Repository.products.appendingPathComponent("Modules").path, "-Xcc", "-I", "-Xcc",
      headers, "-Xcc", "-fmodule-map-file=\(map)", source,
    ])
  }
}

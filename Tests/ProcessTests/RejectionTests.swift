// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// What must not build, and the words that the user gets.
final class RejectionTests: XCTestCase {
  func testTwoAllocatorsDoNotLink() throws {
    let package = try FixturePackage("TwoAllocators")
    for linker in ["gold", "lld", "bfd"] where CommandResult.locate("ld.\(linker)") != nil {
      for base in [FixturePackage.Configuration.debug, .release] {
        let configuration = FixturePackage.Configuration(
          "\(base)-\(linker)", base.arguments + ["-Xswiftc", "-use-ld=\(linker)"])
        let result = try package.tryBuilding(configuration)
        XCTAssertNotEqual(result.status, 0, "\(configuration)")
        let complaints = (result.standardOutput + result.standardError).split(separator: "\n").filter {
          $0.contains("multiple definition of") || $0.contains("duplicate symbol")
        }
        XCTAssertTrue(
          complaints.first?.contains(
            "ERROR_two_allocators_are_linked__name_only_one_Global_product_in_Package_swift") ?? false,
          "\(configuration): the linker's first message has to name the mistake:\n\(result.transcript)")
      }
    }
  }

  func testAllocatorThatAllocatesDoesNotCompile() throws {
    let package = try FixturePackage("AllocatingAllocator")
    for base in [FixturePackage.Configuration.debug, .release] {
      let sound = try package.tryBuilding(.init("\(base)-sound", base.arguments))
      XCTAssertEqual(sound.status, 0, "the same allocator without the mistake compiles: \(sound.transcript)")

      for mistake in ["ALLOCATES", "LOCKS"] {
        let configuration = FixturePackage.Configuration(
          "\(base)-\(mistake)", base.arguments + ["-Xswiftc", "-D\(mistake)"])
        let result = try package.tryBuilding(configuration)
        XCTAssertNotEqual(result.status, 0, "\(configuration)")
        // Which of the compiler's words it is depends on how far it looks into the function.
        let diagnostics = [
          "can cause metadata allocation or locks", "can cause locking",
          "is not available in this module and can have unpredictable performance",
        ]
        let complaint = (result.standardOutput + result.standardError).split(separator: "\n").first { line in
          line.contains("ExportedSymbols.swift") && line.contains("error: ")
            && diagnostics.contains { line.contains($0) }
        }
        XCTAssertNotNil(complaint, "\(configuration): \(result.transcript)")
      }
    }
  }

  func testMissingJemallocIsNamedWithItsPackage() throws {
    let header = FixturePackage.repository.appendingPathComponent("Sources/CJemalloc/CJemalloc.h").path
    let installed = try CommandResult.run(["clang", "-fsyntax-only", "-x", "c", header])
    XCTAssertEqual(installed.status, 0, installed.transcript)
    // Without the system's folders of headers jemalloc's cannot be found either.
    let missing = try CommandResult.run(["clang", "-nostdinc", "-fsyntax-only", "-x", "c", header])
    XCTAssertNotEqual(missing.status, 0)
    XCTAssertTrue(missing.standardError.contains("apt-get install libjemalloc-dev"), missing.transcript)

    // And as a user sees it, where a folder can be hidden from one process.
    let hide = "mount -t tmpfs none /usr/include/jemalloc"
    guard try CommandResult.run(["unshare", "-m", "sh", "-c", hide]).status == 0 else {
      throw XCTSkip("only the header was checked: no right to hide /usr/include/jemalloc from a build")
    }
    let package = try FixturePackage("SingleProducts")
    let scratch = package.folder.appendingPathComponent(".build-without-jemalloc").path
    let build = "\(hide) && swift build --package-path '\(package.folder.path)' --scratch-path '\(scratch)' --product"
    let needing = try CommandResult.run(["unshare", "-m", "sh", "-c", "\(build) UsesJemalloc"])
    XCTAssertNotEqual(needing.status, 0)
    XCTAssertTrue(
      (needing.standardOutput + needing.standardError).contains("apt-get install libjemalloc-dev"), needing.transcript)
    let other = try CommandResult.run(["unshare", "-m", "sh", "-c", "\(build) UsesSystem"])
    XCTAssertEqual(other.status, 0, "who does not use jemalloc does not need it: \(other.transcript)")
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

  private func checkTypes(of statement: String) throws -> CommandResult {
    let products = try FixturePackage("Artifacts").build(.debug)
    let source = FixturePackage.workspace.appendingPathComponent("statement.swift")
    try "import AllocatorABI\n\(statement)\n".write(to: source, atomically: true, encoding: .utf8)
    let headers = FixturePackage.repository.appendingPathComponent("Sources/CAllocatorSupport/include").path
    let map = products.appendingPathComponent("CAllocatorSupport.build/module.modulemap").path
    return try CommandResult.run([
      "swiftc", "-typecheck", "-I", products.appendingPathComponent("Modules").path, "-Xcc", "-I", "-Xcc", headers,
      "-Xcc", "-fmodule-map-file=\(map)", source.path,
    ])
  }
}

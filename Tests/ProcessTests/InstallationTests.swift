// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// `GlobalAllocator.installation` and `requireInstalled()`, in programs of their own.
final class InstallationTests: XCTestCase {
  /// What one image's calls of an entry point reach, as a program printed it.
  private struct Call: Hashable {
    var symbol: String
    var caller: String
    var function: String
    var answer: String
    var isLinkedAllocator: Bool
  }

  private let artifacts = [
    (program: "AppSystem", name: "system", library: "libc.so.6"),
    (program: "AppJemalloc", name: "jemalloc", library: "libjemalloc.so.2"),
    (program: "AppUnchosen", name: "system", library: "libc.so.6"),
    // Exports the malloc family itself.
    (program: "AppFamily", name: "custom", library: "AppFamily"),
    (program: "AppNest", name: "nest", library: "AppNest"),
  ]

  func testDebug() throws { try check(.debug) }

  func testRelease() throws { try check(.release) }

  func testStaticStandardLibrary() throws { try check(.staticStandardLibrary) }

  /// Whether an executable exports its `malloc` to the libraries is up to the linker.
  func testLinkers() throws {
    for linker in ["lld", "bfd"] {
      let release = FixturePackage.Configuration.release
      try check(
        .init("\(release)-\(linker)", release.arguments + ["-Xswiftc", "-use-ld=\(linker)"]), programs: ["AppFamily"])
    }
  }

  private func check(_ configuration: FixturePackage.Configuration, programs: Set<String>? = nil) throws {
    let package = try FixturePackage("Installation")
    for artifact in artifacts where programs?.contains(artifact.program) ?? true {
      let program = try package.build(configuration, product: artifact.program)
        .appendingPathComponent(artifact.program).path
      let run = try CommandResult.run([program, "calls"])
      XCTAssertEqual(run.status, 0, "\(program): \(run.transcript)")
      let calls = calls(in: run)
      let runtime = configuration == .staticStandardLibrary ? artifact.program : "libswiftCore.so"
      for symbol in ["malloc", "free", "realloc", "posix_memalign"] {
        XCTAssertTrue(
          calls.contains(
            Call(
              symbol: symbol, caller: runtime, function: artifact.library, answer: artifact.library,
              isLinkedAllocator: true)),
          "\(program): \(symbol) of the Swift runtime\n\(run.transcript)")
      }
      XCTAssertTrue(
        calls.contains(
          Call(
            symbol: "malloc", caller: "libc.so.6", function: artifact.library, answer: artifact.library,
            isLinkedAllocator: true)),
        "\(program): libc's own calls\n\(run.transcript)")
      let objects = calls.filter { $0.symbol == "swift_slowAlloc" }
      XCTAssertEqual(objects.map(\.function), [runtime], "\(program): \(run.transcript)")
      XCTAssertEqual(objects.map(\.answer), [artifact.library], "\(program): \(run.transcript)")
      XCTAssertEqual(
        Set(calls.filter { $0.symbol == "_Znwm" }.map(\.answer)), [artifact.library], "\(program): \(run.transcript)")
      XCTAssertEqual(
        Set(calls.filter { $0.symbol == "__rust_allocate" }.map(\.answer)), [artifact.program],
        "\(program): \(run.transcript)")

      // What the dynamic linker has not filled in yet is what it would fill in.
      let bound = try CommandResult.run([program, "calls"], environment: ["LD_BIND_NOW": "1"])
      XCTAssertEqual(calls, self.calls(in: bound), program)

      let table = try CommandResult.run([program, "table"])
      XCTAssertEqual(table.lines.first?.hasPrefix("allocator \(artifact.name) (/"), true, table.transcript)
      XCTAssertEqual(
        table.lines.first?.hasSuffix("/\(artifact.library)) answers every allocation of this process"), true,
        table.transcript)
      let words = table.lines.first { $0.hasPrefix("malloc ") }?.split(separator: " ").prefix(3)
      XCTAssertEqual(words, ["malloc", "\(artifact.library)", "yes"], table.transcript)
    }
  }

  func testPreloadedAllocator() throws {
    let products = try FixturePackage("Installation").build(.debug)
    let second = products.appendingPathComponent("libSecondMalloc.so").path
    // An executable's own malloc comes before a preloaded one.
    for (program, name, library) in artifacts where library != program {
      let run = try CommandResult.run(
        [products.appendingPathComponent(program).path, "table"], environment: ["LD_PRELOAD": second])
      XCTAssertEqual(run.status, 1, "\(program): \(run.transcript)")
      try checkWords(run, name: name, library: library, taker: "libSecondMalloc.so")
    }
    let run = try CommandResult.run(
      [products.appendingPathComponent("AppSystem").path, "table"], environment: ["LD_PRELOAD": "libjemalloc.so.2"])
    XCTAssertEqual(run.status, 1, run.transcript)
    try checkWords(run, name: "system", library: "libc.so.6", taker: "libjemalloc.so.2")
    // The five functions are still those that were linked.
    let five = run.lines.first { $0.hasPrefix("__rust_allocate ") }?.split(separator: " ").prefix(3)
    XCTAssertEqual(five, ["__rust_allocate", "AppSystem", "yes"], run.transcript)
  }

  func testAllocatorThatIsLinkedFirst() throws {
    let products = try FixturePackage("Installation").build(.debug)
    let run = try CommandResult.run([products.appendingPathComponent("AppSecondFirst").path, "table"])
    XCTAssertEqual(run.status, 1, run.transcript)
    try checkWords(run, name: "system", library: "libc.so.6", taker: "libSecondMalloc.so")
  }

  /// With the five functions alone nothing but their callers uses the allocator, which is not what was asked for.
  func testFiveFunctionsWithoutTheMallocFamily() throws {
    let products = try FixturePackage("Installation").build(.debug)
    let run = try CommandResult.run([products.appendingPathComponent("AppFive").path, "table"])
    XCTAssertEqual(run.status, 1, run.transcript)
    try checkWords(run, name: "custom", library: "AppFive", taker: "libc.so.6")
  }

  /// An executable that defines malloc and does not export it runs half on libc's: its own calls are right, and no
  /// library's.
  func testMallocThatIsNotExported() throws {
    let package = try FixturePackage("Installation")
    let map = package.folder.appendingPathComponent("hidden.map").path
    let program = try package.build(
      .init("hidden", FixturePackage.Configuration.debug.arguments + ["-Xlinker", "--version-script=\(map)"]),
      product: "AppFamily")
    let run = try CommandResult.run([program.appendingPathComponent("AppFamily").path, "table"])
    XCTAssertEqual(run.status, 1, run.transcript)
    try checkWords(run, name: "custom", library: "AppFamily", taker: "libc.so.6", row: 1)
    let own = run.lines.first { $0.hasPrefix("malloc ") }?.split(separator: " ")
    XCTAssertEqual(own, ["malloc", "AppFamily", "yes", "AppFamily"], run.transcript)
  }

  /// A sanitizer's malloc is in the executable too, and is not the linked allocator.
  func testSanitizer() throws {
    let package = try FixturePackage("Installation")
    let program = try package.build(
      .init("asan", FixturePackage.Configuration.debug.arguments + ["--sanitize=address"]), product: "AppFamily")
    let run = try CommandResult.run([program.appendingPathComponent("AppFamily").path, "table"])
    XCTAssertEqual(run.status, 1, run.transcript)
    XCTAssertTrue(
      run.standardError.contains("; a sanitizer has taken malloc, and the linked allocator, "), run.transcript)
    XCTAssertFalse(run.lines.contains { $0.hasPrefix("malloc ") && $0.contains(" yes ") }, run.transcript)
  }

  /// The error names the symbol, the image that took it and the one that should have it; so does the table.
  private func checkWords(_ run: CommandResult, name: String, library: String, taker: String, row: Int = 0) throws {
    let words = try NSRegularExpression(
      pattern: "^malloc is answered by /\\S*/\(taker) for /\\S*/libswiftCore.so; "
        + "the linked allocator, \(name), is in /\\S*/\(library)\n$")
    let said = run.standardError
    XCTAssertEqual(words.numberOfMatches(in: said, range: NSRange(said.startIndex..., in: said)), 1, run.transcript)
    XCTAssertEqual(run.lines.first?.hasSuffix("does not answer every allocation"), true, run.transcript)
    let rows = run.lines.filter { $0.hasPrefix("malloc ") }.map { $0.split(separator: " ").prefix(3) }
    XCTAssertEqual(rows.dropFirst(row).first, ["malloc", "\(taker)", "NO"], run.transcript)
  }

  private func calls(in run: CommandResult) -> Set<Call> {
    func fileName(_ path: Substring) -> String { URL(fileURLWithPath: String(path)).lastPathComponent }
    return Set(
      run.lines.compactMap { line in
        let words = line.split(separator: " ")
        guard words.count == 5 else { return nil }
        return Call(
          symbol: String(words[0]), caller: fileName(words[1]), function: fileName(words[2]),
          answer: fileName(words[3]), isLinkedAllocator: words[4] == "true")
      })
  }
}

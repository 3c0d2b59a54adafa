// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// What is checked of programs that print `GlobalAllocator.installation`.
struct InstallationCheck: Sendable {
  /// What one image's calls of an entry point reach, as a program printed it.
  private struct Call: Hashable {
    var symbol: String
    var caller: String
    var function: String
    var answer: String
    var isLinkedAllocator: Bool
  }

  let artifacts = [
    (program: "InstalledSystem", name: "system", library: "libc.so.6"),
    (program: "InstalledJemalloc", name: "jemalloc", library: "libjemalloc.so.2"),
    (program: "InstalledUnchosen", name: "system", library: "libc.so.6"),
    // Exports the malloc family itself.
    (program: "InstalledFamily", name: "custom", library: "InstalledFamily"),
    (program: "InstalledMimalloc", name: "mimalloc", library: "InstalledMimalloc"),
    (program: "InstalledTcmalloc", name: "tcmalloc", library: "InstalledTcmalloc"),
    (program: "InstalledNest", name: "nest", library: "InstalledNest"),
    (program: "InstalledNestHardened", name: "nest-hardened", library: "InstalledNestHardened"),
  ]

  func check(_ configuration: FixturePackage.Configuration) throws {
    try concurrently(artifacts) { try check($0, configuration) }
  }

  func check(
    _ artifact: (program: String, name: String, library: String), _ configuration: FixturePackage.Configuration,
    product: String? = nil
  ) throws {
    let program = try FixturePackage.programs.path(configuration, of: artifact.program, product: product)
    let run = try CommandResult.run([program, "calls"])
    XCTAssertEqual(run.status, 0, "\(program): \(run.transcript)")
    let calls = calls(in: run)
    let runtime = configuration.isStatic ? artifact.program : "libswiftCore.so"
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
    // Some libraries have an operator new of their own, which does not ask malloc.
    let operators = ["mimalloc": "libmimalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"]
    XCTAssertEqual(
      Set(calls.filter { $0.symbol == "_Znwm" }.map(\.answer)), [operators[artifact.name] ?? artifact.library],
      "\(program): \(run.transcript)")
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

  /// The error names the symbol, the image that took it and the one that should have it; so does the table.
  func checkWords(_ run: CommandResult, name: String, library: String, taker: String, row: Int = 0) throws {
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

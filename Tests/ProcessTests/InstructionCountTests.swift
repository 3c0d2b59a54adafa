// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The length of Nest's fast paths is what `Tests/Fixtures/InstructionCounts/nest.golden` says, to the instruction.
///
/// A change of it, for better or worse, is made on purpose: `ALLOCATOR_UPDATE_GOLDEN=1 swift test --filter InstructionCountTests`
/// writes the new numbers, which are then a part of the change.
final class InstructionCountTests: XCTestCase {
  func testNestsFastPaths() throws {
    let file = Repository.fixtures.appendingPathComponent("InstructionCounts/nest.golden")
    let text = try String(contentsOf: file, encoding: .utf8)
    let lines = text.split(separator: "\n").map(String.init)
    let toolchain = try Self.toolchain()
    let recorded = lines.first { $0.hasPrefix("# toolchain: ") }?.dropFirst("# toolchain: ".count) ?? "none"
    let isUpdate = ProcessInfo.processInfo.environment["ALLOCATOR_UPDATE_GOLDEN"] == "1"
    try XCTSkipUnless(
      isUpdate || recorded == toolchain,
      "skipped: the numbers are those of \(recorded), and this is \(toolchain)")

    let run = try CProgram("InstructionCounts/count.c").run(preloading: PreloadLibrary.nest.path(.release))
    XCTAssertEqual(run.status, 0, run.transcript)
    let golden = lines.filter { !$0.hasPrefix("#") }
    if golden == run.lines && recorded == toolchain { return }
    if isUpdate {
      let comments = lines.filter { $0.hasPrefix("#") && !$0.hasPrefix("# toolchain: ") }
      let new = comments + ["# toolchain: \(toolchain)"] + run.lines
      try (new.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
      print("wrote \(file.path):\n\(run.standardOutput)")
      return
    }
    let gone = golden.filter { !run.lines.contains($0) }.map { "- \($0)" }
    let new = run.lines.filter { !golden.contains($0) }.map { "+ \($0)" }
    XCTFail(
      """
      the fast paths have another length; if that is meant, ALLOCATOR_UPDATE_GOLDEN=1 in the environment of this test writes \
      these rows to \(file.path):
      \((gone + new).joined(separator: "\n"))
      """)
  }

  /// The compiler that decides the numbers: its version and the processor's architecture.
  private static func toolchain() throws -> String {
    let machine = try CommandResult.run(["uname", "-m"]).lines.first ?? ""
    let version = try CommandResult.run(["swiftc", "--version"])
    let number = (version.standardOutput + version.standardError).firstMatch(of: #/Swift version (\S+)/#)?.1 ?? "?"
    return "Swift \(number), \(machine)"
  }
}

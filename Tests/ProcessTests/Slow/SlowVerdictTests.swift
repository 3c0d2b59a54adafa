// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// Programs that leak, retain, map, and do none of that, on each allocator: the verdict after 40 seconds, and what a trim gives
/// back of what was said. All of them run at once.
final class SlowVerdictTests: SlowTestCase {
  private static let verdicts = [
    "leak-sessions": "growing", "leak-buffers": "growing", "retain-cache": "retained", "retain-threads": "retained",
    "map": "outside", "steady": "steady",
  ]

  func testVerdicts() throws {
    let products = try FixturePackage.programs.build(.release)
    let runs = ["System", "Jemalloc", "Nest"].flatMap { allocator in
      Self.verdicts.keys.map { (allocator, $0) }
    }
    let running = try runs.map { allocator, program in
      let process = Process()
      let output = Pipe()
      process.executableURL = products.appendingPathComponent("Scenario\(allocator)")
      process.arguments = [program, "40"]
      process.standardOutput = output
      try process.run()
      return (allocator, program, process, output)
    }
    for (allocator, program, process, output) in running {
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      // "retained 77175615 77234176 171724800": what was said, what went, and what was there.
      let words = text.split(separator: "\n").first.map { $0.split(separator: " ").map(String.init) } ?? []
      guard words.count == 4, let said = Double(words[1]), let gone = Double(words[2]), let resident = Double(words[3])
      else {
        XCTFail("\(allocator) \(program): \(text)")
        continue
      }
      XCTAssertEqual(words[0], Self.verdicts[program], "\(allocator) \(program): \(text)")
      if words[0] == "retained" {
        // Within a fifth; of next to nothing, within a hundredth of what is there.
        XCTAssertEqual(said, gone, accuracy: max(gone / 5, resident / 100), "\(allocator) \(program): \(text)")
      }
    }
  }
}

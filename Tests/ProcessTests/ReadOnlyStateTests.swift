// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// What of the allocator does not change once a process has started cannot be written then.
final class ReadOnlyStateTests: XCTestCase {
  /// Where variables of a library are, in hexadecimal, as its symbol table has them.
  private func offsets(_ library: String) throws -> [String: String] {
    var offsets: [String: String] = [:]
    for line in try CommandResult.run(["nm", library]).lines {
      let words = line.split(separator: " ").map(String.init)
      if words.count == 3 { offsets[words[2]] = words[0] }
    }
    return offsets
  }

  /// Where the last address of a function of another library is, in hexadecimal.
  private func lastAddress(_ library: String) throws -> String? {
    for line in try CommandResult.run(["readelf", "-SW", library]).lines {
      let words = line.split(separator: " ").map(String.init)
      guard let name = words.firstIndex(of: ".got.plt"), words.count > name + 4,
        let start = UInt(words[name + 2], radix: 16), let size = UInt(words[name + 4], radix: 16)
      else { continue }
      return String(start + size - 8, radix: 16)
    }
    return nil
  }

  private func assertCannotBeWritten(_ names: [String], _ library: PreloadLibrary, line: UInt = #line) throws {
    let program = try CProgram("PreloadPrograms/read_only_state.c")
    for configuration in [FixturePackage.Configuration.debug, .release] {
      let path = try library.path(configuration)
      var offsets = try offsets(path)
      offsets[".got.plt"] = try lastAddress(path)
      for name in names {
        let offset = try XCTUnwrap(offsets[name], name, line: line)
        for more in [[], ["fork"]] {
          let run = try program.run([offset] + more, preloading: path)
          XCTAssertEqual(run.status, -SIGSEGV, "\(name) \(more): \(run.transcript)", line: line)
          XCTAssertEqual(run.lines, ["read"], "\(name) \(more)", line: line)
        }
      }
      // The program writes where it may.
      let run = try program.run([try XCTUnwrap(offsets["nest_chunk_cache"])], preloading: path)
      XCTAssertEqual(run.lines, ["read", "written"], run.transcript, line: line)
    }
  }

  func testSecretsAndSettings() throws {
    for library in [PreloadLibrary.nest, .nestHardened] { try assertCannotBeWritten(["nest_sealed"], library) }
  }

  func testTables() throws {
    for library in [PreloadLibrary.nest, .nestHardened] {
      try assertCannotBeWritten(["nest_class_table", "nest_class_facts", "nest_empty_cache"], library)
    }
  }

  /// The addresses of the C library's functions.
  func testAddressesOfFunctions() throws {
    try assertCannotBeWritten([".got.plt"], .nestHardened)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

extension TemporaryFolder {
  /// Writes an executable text file.
  func script(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path(name))
    return path(name)
  }

  /// Compiles a C program with the C compiler of the machine, or skips the test.
  func compile(_ name: String, _ source: String, _ options: [String] = []) throws -> String {
    guard let compiler = CommandResult.locate("gcc") ?? CommandResult.locate("clang") else {
      throw XCTSkip("no C compiler is installed")
    }
    do {
      let program = try CompiledText.path(name, source, [compiler, "-O1"] + options)
      // A test may change what it has.
      try? FileManager.default.removeItem(atPath: path(name))
      try FileManager.default.copyItem(atPath: program, toPath: path(name))
    } catch let failure as FixturePackage.BuildFailure {
      throw XCTSkip("\(options) does not work here: \(failure)")
    }
    return path(name)
  }
}

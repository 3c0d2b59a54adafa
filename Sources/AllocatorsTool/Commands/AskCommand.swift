// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import BenchmarkKit
import Foundation
import Glibc

/// Prints the version of the allocator that this very process runs on: what `list` starts on each.
struct AskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ask", shouldDisplay: false)

  func run() throws {
    print(Self.answer)
  }

  /// Returns the version of the library at `path`, asked for in a process that runs on it, or in words why there is none.
  static func ask(path: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment.merging(["LD_PRELOAD": path]) { $1 }
    let answer = HelperProgram.output(of: ThisExecutable.path, ["ask"], environment: environment)
    return answer?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unusable: a program that preloads it fails"
  }

  private static var answer: String {
    if let name = symbol("__swift_allocator_name") {
      typealias Function = @convention(c) () -> UnsafePointer<CChar>
      return "\(String(cString: unsafeBitCast(name, to: Function.self)())) (Swift)"
    }
    if let control = symbol("mallctl") {
      typealias Function =
        @convention(c) (
          UnsafePointer<CChar>, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?, UnsafeMutableRawPointer?, Int
        ) -> CInt
      var version: UnsafePointer<CChar>?
      var size = MemoryLayout<UnsafePointer<CChar>?>.size
      if unsafeBitCast(control, to: Function.self)("version", &version, &size, nil, 0) == 0, let version {
        // "5.3.0-0-g54eaed1d…": what stands before the first hyphen.
        return String(String(cString: version).prefix { $0 != "-" })
      }
    }
    if let version = symbol("mi_version") {
      typealias Function = @convention(c) () -> CInt
      let number = Int(unsafeBitCast(version, to: Function.self)())
      // 209 is 2.0.9; later releases have more digits for each part.
      return number < 10_000
        ? "\(number / 100).\(number / 10 % 10).\(number % 10)"
        : "\(number / 10_000).\(number / 100 % 100).\(number % 100)"
    }
    if let version = symbol("tc_version") {
      typealias Function =
        @convention(c) (
          UnsafeMutablePointer<CInt>?, UnsafeMutablePointer<CInt>?, UnsafeMutablePointer<UnsafePointer<CChar>?>?
        ) -> UnsafePointer<CChar>
      let text = String(cString: unsafeBitCast(version, to: Function.self)(nil, nil, nil))
      return text.split(separator: " ").last.map(String.init) ?? text
    }
    return "unknown"
  }

  private static func symbol(_ name: String) -> UnsafeMutableRawPointer? {
    dlsym(nil, name)
  }
}

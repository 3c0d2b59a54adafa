// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// The entry points cost one jump over calling the library: seen in what a release build holds.
final class EntryPointDisassemblyTests: XCTestCase {
  /// In `GlobalJemalloc` each is a straight line that ends in a jump into libjemalloc, without a call, without a frame
  /// beyond the frame pointer.
  func testJemallocEntryPointsAreTailCalls() throws {
    let library = try FixturePackage.programs.path(.release, of: "libJemallocPlugin.so")
    let functions = [
      "__rust_allocate": "mallocx", "__rust_deallocate": "sdallocx", "__rust_reallocate": "rallocx",
      "__rust_reallocate_inplace": "xallocx",
    ]
    for (symbol, callee) in functions {
      let instructions = try disassembly(of: symbol, in: library)
      XCTAssertGreaterThan(instructions.count, 3, symbol)
      guard let last = instructions.last else { continue }
      XCTAssertTrue(last.hasPrefix("jmp") && last.contains("<\(callee)@plt>"), "\(symbol) ends in: \(last)")
      for instruction in instructions.dropLast() {
        XCTAssertFalse(
          instruction.hasPrefix("call") || instruction.hasPrefix("j"), "\(symbol) is no straight line: \(instruction)")
        XCTAssertFalse(
          instruction.hasPrefix("push") && !instruction.contains("%rbp") || instruction.contains("%rsp)")
            || instruction.hasPrefix("sub") && instruction.hasSuffix("%rsp"),
          "\(symbol) has a frame: \(instruction)")
      }
    }
  }

  /// In a release build, malloc and free are jumps, and the function that they lead to has the allocator in it: what it calls
  /// is glibc's, and the failure.
  func testMallocFamilyHasTheAllocatorInlined() throws {
    let library = try PreloadLibrary.counting.path(.release)
    for (symbol, callee) in [("malloc", "__libc_malloc"), ("free", "__libc_free"), ("calloc", "__libc_calloc")] {
      // One jump, on x86-64 with prefixes that have no meaning.
      let forward = try disassembly(of: symbol, in: library)
      XCTAssertEqual(forward.count, 1, "\(symbol): \(forward)")
      XCTAssertTrue(forward.last?.contains("<__swift_\(symbol)>") ?? false, "\(symbol): \(forward)")
      let instructions = try disassembly(of: "__swift_\(symbol)", in: library)
      XCTAssertTrue(instructions.contains { $0.contains("<\(callee)@plt>") }, "\(symbol): \(instructions)")
      let leaving = instructions.filter {
        ($0.hasPrefix("call") || $0.hasPrefix("j")) && !$0.contains("<__swift_\(symbol)") && $0.contains("<")
      }
      for instruction in leaving {
        XCTAssertTrue(
          instruction.contains("<\(callee)@plt>") || instruction.contains("outOfMemory"), "\(symbol): \(instruction)")
      }
    }
  }

  /// Nest's free calls its slow path alone, and has a frame only there. How long it is, `InstructionCountTests` says.
  func testNestsFreeCallsItsSlowPathAlone() throws {
    try XCTSkipUnless(
      CommandResult.run(["uname", "-m"]).standardOutput.hasPrefix("x86_64"), "skipped: knows x86-64's instructions")
    let free = try disassembly(of: "__swift_free", in: PreloadLibrary.nest.path(.release))
    XCTAssertGreaterThan(free.count, 20, "\(free)")
    let calls = free.filter { $0.hasPrefix("call") }
    XCTAssertEqual(calls.count, 1, "\(free)")
    XCTAssertTrue(calls.first?.contains("SlowPath") ?? false, "\(free)")
    XCTAssertFalse(free.first?.hasPrefix("push") ?? true, "\(free)")
  }

  /// The instructions of a function, one string each, as `objdump` or `llvm-objdump` prints them in AT&T syntax.
  private func disassembly(of symbol: String, in file: String) throws -> [String] {
    let tool = try XCTUnwrap(
      CommandResult.locate("objdump") ?? CommandResult.locate("llvm-objdump"), "no objdump, no llvm-objdump")
    let option = tool.hasSuffix("llvm-objdump") ? "--disassemble-symbols=\(symbol)" : "--disassemble=\(symbol)"
    let result = try CommandResult.run([tool, "-d", "--no-show-raw-insn", option, file])
    XCTAssertEqual(result.status, 0, result.transcript)
    let body = result.lines.drop { !$0.contains("<\(symbol)>:") }.dropFirst()
    return body.prefix { $0.hasPrefix(" ") }.compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let text = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      return text.isEmpty || text.hasPrefix("int3") || text.hasPrefix("nop") ? nil : text
    }
  }
}

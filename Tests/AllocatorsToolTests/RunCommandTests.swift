// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import XCTest

/// `allocators run` is the program: what a shell sees of it is what it sees of the program.
final class RunCommandTests: XCTestCase {
  func testExitStatusIsTheProgramsOwn() throws {
    try concurrently([0, 1, 3, 64, 126, 127, 255]) { (status: Int32) in
      let result = try Tool.run(["run", "--allocator", "system", "--", "sh", "-c", "exit \(status)"])
      XCTAssertEqual(result.status, status)
      XCTAssertEqual(result.transcript, "exit status \(status)\n", "the command says nothing of its own")
    }
  }

  func testSignalsAreTheProgramsOwn() throws {
    try concurrently([SIGTERM, SIGKILL, SIGSEGV]) { signal in
      let result = try Tool.run(["run", "--allocator", "system", "--", "sh", "-c", "ulimit -c 0; kill -\(signal) $$"])
      XCTAssertEqual(result.status, -signal, result.transcript)
    }
  }

  func testProcessIsTheSame() throws {
    // The shell prints its id, then becomes the command, which becomes a shell that prints its own.
    let result = try CommandResult.run([
      "sh", "-c", "echo $$; exec \(Tool.path) run --allocator system -- sh -c 'echo $$'",
    ])
    XCTAssertEqual(result.lines.count, 2)
    XCTAssertEqual(result.lines.first, result.lines.last)
  }

  func testSignalMaskAndDispositionsAreNotTouched() throws {
    let show = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]
    let plain = try signals(show)
    let run = try signals([Tool.path, "run", "--allocator", "system", "--"] + show)
    XCTAssertEqual(run, plain)
    XCTAssertEqual(run.count, 3)
  }

  /// The three sets without the signals 32 and 33: the C library has them for itself, and posix_spawn ignores them in what it
  /// spawns.
  private func signals(_ command: [String]) throws -> [UInt64?] {
    try CommandResult.run(command).lines.map { line in
      line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) }.map { $0 & ~(3 << 31) }
    }
  }

  func testArgumentsReachTheProgramUnchanged() throws {
    let arguments = ["--allocator", "", "a b", "--", "-n", "$HOME", "\u{1F600}"]
    let show = "for a; do printf '<%s>' \"$a\"; done"
    let result = try Tool.run(["run", "--allocator", "system", "--", "sh", "-c", show, "sh"] + arguments)
    XCTAssertEqual(result.standardOutput, arguments.map { "<\($0)>" }.joined())
  }

  func testLibraryIsMappedIntoTheProgram() throws {
    try concurrently(["jemalloc", "mimalloc", "tcmalloc"]) { name in
      guard let library = try? Tool.library(name) else { return }
      let real = URL(fileURLWithPath: library).resolvingSymlinksInPath().path
      let result = try Tool.run(["run", "--allocator", name, "--", "cat", "/proc/self/maps"])
      XCTAssert(result.standardOutput.contains(real), "\(name): \(real) is not mapped")
    }
    let system = try Tool.run(["run", "--allocator", "system", "--", "cat", "/proc/self/maps"])
    XCTAssertFalse(system.standardOutput.contains("malloc.so"))
  }

  /// A library that was preloaded already stays, unless it brings a malloc.
  func testOtherPreloadedLibrariesStay() throws {
    let jemalloc = try Tool.library("jemalloc")
    let scratch = try TemporaryFolder()
    let harmless = try scratch.compile("harmless.so", "int harmless = 1;", ["-shared", "-fPIC"])
    let environment = ["LD_PRELOAD": "\(harmless):\(jemalloc)"]
    let show = ["--", "sh", "-c", "echo $LD_PRELOAD"]
    XCTAssertEqual(try Tool.run(["run", "--allocator", "system"] + show, environment: environment).lines, [harmless])
    XCTAssertEqual(
      try Tool.run(["run", "--allocator", "jemalloc"] + show, environment: environment).lines,
      ["\(jemalloc):\(harmless)"])
  }

  func testLibraryOfTheUsersOwn() throws {
    let jemalloc = try Tool.library("jemalloc")
    let result = try Tool.run(
      ["run", "--library", "mine=\(jemalloc)", "--allocator", "mine", "--", "sh", "-c", "echo $LD_PRELOAD"])
    XCTAssertEqual(result.lines, [jemalloc], result.transcript)
  }

  func testScriptWithoutAFirstLineRuns() throws {
    let scratch = try TemporaryFolder()
    let script = try scratch.script("plain", "echo plain $1\nexit 9\n")
    let result = try Tool.run(["run", "--allocator", "system", "--", script, "x"])
    XCTAssertEqual(result.lines, ["plain x"], result.transcript)
    XCTAssertEqual(result.status, 9)
  }

  func testRefusals() throws {
    try Tool.checkRefusals([
      (["run"], 64, "--allocator"),
      (["run", "--allocator", "system"], 64, "a command is missing"),
      (["run", "--allocator", "system", "--"], 64, "a command is missing"),
      (["run", "--allocator", "system", "--hasty", "--", "true"], 64, "'--hasty'"),
      (["run", "--allocator", "nosuch", "--", "true"], 64, "no allocator 'nosuch'"),
      (["run", "--allocator", "system", "--", "no-such-program"], 127, "no-such-program"),
      (["run", "--allocator", "system", "--", "/no/such/program"], 127, "/no/such/program"),
      (["run", "--allocator", "system", "--", "/"], 126, "not an executable file"),
      (["run", "--allocator", "system", "--", "/etc/passwd"], 126, "/etc/passwd"),
      (["run", "--library", "mine", "--allocator", "mine", "--", "true"], 64, "NAME=PATH"),
      (["run", "--library", "mine=/no/such.so", "--allocator", "mine", "--", "true"], 66, "/no/such.so"),
      (["nosuch"], 64, "nosuch"),
    ])
  }

  func testStaticExecutablesAreRefusedWhereTheyWouldIgnoreTheLibrary() throws {
    _ = try Tool.library("jemalloc")
    let scratch = try TemporaryFolder()
    let programs = try ["-static", "-static-pie"].map { option in
      try scratch.compile("static\(option)", "int main(void) { return 5; }", [option])
    }
    let scripts = try programs.enumerated().map { try scratch.script("script\($0)", "#!\($1)\n") }
    try Tool.checkRefusals(
      (programs + scripts).map { (["run", "--allocator", "jemalloc", "--", $0], 126, "is a static executable") })
    for run in try Tool.run(all: programs.map { ["run", "--allocator", "system", "--", $0] }) {
      XCTAssertEqual(run.status, 5, "glibc's needs no library")
    }
    let dynamic = try scratch.compile("dynamic", "int main(void) { return 5; }")
    XCTAssertEqual(try Tool.run(["run", "--allocator", "jemalloc", "--", dynamic]).status, 5)
  }

  /// The loader looks into the program first, so that a preloaded malloc is nobody's.
  func testProgramsThatDefineMallocAreRefused() throws {
    _ = try Tool.library("jemalloc")
    let scratch = try TemporaryFolder()
    let source = """
      #include <stddef.h>
      void *mi_malloc(size_t size) { return 0; }
      void *malloc(size_t size) { return mi_malloc(size); }
      int main(void) { return 5; }
      """
    for options in [["-rdynamic"], []] {
      let program = try scratch.compile("own\(options.count)", source, options)
      try Tool.checkRefusal(
        ["run", "--allocator", "jemalloc", "--", program], status: 126, says: "defines malloc itself (mimalloc)")
    }
  }

  func testSetuidProgramsAreRefused() throws {
    _ = try Tool.library("jemalloc")
    let scratch = try TemporaryFolder()
    let program = try scratch.compile("setuid", "int main(void) { return 5; }")
    guard chown(program, 65_534, 65_534) == 0 else { throw XCTSkip("only root can make a program another user's") }
    XCTAssertEqual(chmod(program, 0o4755), 0)
    try Tool.checkRefusal(["run", "--allocator", "jemalloc", "--", program], status: 126, says: "setuid")
    XCTAssertEqual(chmod(program, 0o2755), 0)
    try Tool.checkRefusal(["run", "--allocator", "jemalloc", "--", program], status: 126, says: "setgid")
    XCTAssertEqual(chmod(program, 0o755), 0)
    XCTAssertEqual(try Tool.run(["run", "--allocator", "jemalloc", "--", program]).status, 5)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Glibc
import TestEffort
import XCTest

final class ProgramLauncherTests: XCTestCase {
  private func shell(_ script: String, environment: [String: String?] = [:], timeoutSeconds: Double? = 60) throws
    -> ProgramRun
  {
    let command = Command("/bin/sh", ["-c", script], environment: environment)
    return try launcher.run(command, timeoutSeconds: timeoutSeconds)
  }

  private var launcher: ProgramLauncher { ProgramLauncher(path: Built.path(of: "benchmark-launcher")) }

  func testOutputAndEndingAreTheProgramsOwn() throws {
    let run = try shell("echo out; echo error >&2; exit 0")
    XCTAssertEqual(run.ending, .exited(0))
    XCTAssertEqual(run.output, "out\n")
    XCTAssertEqual(run.errorOutput, "error\n")
    XCTAssertNil(run.failure)
    XCTAssertGreaterThan(run.wallSeconds, 0)
  }

  func testArgumentsArriveUnchanged() throws {
    let arguments = ["a b", "", "é\n", "--", "$HOME"]
    let run = try launcher.run(Command("/usr/bin/printf", ["[%s]"] + arguments))
    XCTAssertEqual(run.output, arguments.map { "[\($0)]" }.joined())
  }

  func testEnvironmentIsInheritedReplacedAndTakenAway() throws {
    setenv("BENCHMARK_KEPT", "kept", 1)
    setenv("BENCHMARK_GONE", "still here", 1)
    defer {
      unsetenv("BENCHMARK_KEPT")
      unsetenv("BENCHMARK_GONE")
    }
    let run = try shell(
      "echo $BENCHMARK_KEPT,${BENCHMARK_GONE-gone},$BENCHMARK_NEW",
      environment: ["BENCHMARK_GONE": nil, "BENCHMARK_NEW": "a=b"])
    XCTAssertEqual(run.output, "kept,gone,a=b\n")
  }

  /// The dynamic linker complains once for each program that it cannot load the library into.
  func testLibraryIsPreloadedIntoTheProgramAlone() throws {
    let run = try launcher.run(Command("/bin/true", environment: ["LD_PRELOAD": "/nonexistent/library.so"]))
    XCTAssertNil(run.failure)
    XCTAssertEqual(run.errorOutput.components(separatedBy: "cannot be preloaded").count - 1, 1, run.errorOutput)
  }

  func testStandardInputIsEmpty() throws {
    XCTAssertEqual(try launcher.run(Command("/bin/cat"), timeoutSeconds: 20).ending, .exited(0))
  }

  func testMoreOutputThanAPipeHolds() throws {
    XCTAssertEqual(try shell("head -c 3000000 /dev/zero | tr '\\0' x").output.utf8.count, 3_000_000)
  }

  /// This process has more resident memory than the program will: none of it may show.
  func testPeakIsTheProgramsOwnAndNotItsStarters() throws {
    let byteCount = TestEffort.count(300, quick: 60) << 20
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
    defer { memory.deallocate() }
    let small = try launcher.run(Command("/bin/true"))
    XCTAssertGreaterThan(small.peakResidentBytes, 100_000)
    XCTAssertLessThan(small.peakResidentBytes, 20 << 20)
  }

  func testPeakCountsWhatTheProgramHeldAtAnyTime() throws {
    let run = try shell("x=$(head -c 40000000 /dev/zero | tr '\\0' x); unset x; true")
    XCTAssertGreaterThan(run.peakResidentBytes, 40_000_000)
    XCTAssertLessThan(run.peakResidentBytes, 400_000_000)
  }

  func testProcessorTimeAndFaultsAreCounted() throws {
    let run = try shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
    XCTAssertGreaterThan(run.userSeconds, 0.01)
    XCTAssertLessThan(run.userSeconds + run.systemSeconds, run.wallSeconds * 1.5)
    XCTAssertGreaterThan(run.minorFaults, 10)
  }

  func testFailingProgramIsAFailureWithItsLastWords() throws {
    let run = try shell("echo one >&2; echo two >&2; exit 3")
    XCTAssertEqual(run.ending, .exited(3))
    XCTAssertEqual(run.failure, "exited with status 3: two")
  }

  func testSignalIsAFailure() throws {
    let run = try shell("kill -SEGV $$")
    XCTAssertEqual(run.ending, .signaled(Int(SIGSEGV)))
    XCTAssertEqual(run.failure, "ended by signal 11 (Segmentation fault)")
  }

  func testMissingProgramIsAFailure() throws {
    let run = try launcher.run(Command("/nonexistent/program"))
    XCTAssertEqual(run.ending, .unstartable(Int(ENOENT)))
    XCTAssertEqual(run.failure, "cannot be started: No such file or directory")
  }

  func testMissingLauncherIsAnError() {
    XCTAssertThrowsError(try ProgramLauncher(path: "/nonexistent/launcher").run(Command("/bin/true"))) { error in
      XCTAssertEqual("\(error)", "start /nonexistent/launcher: No such file or directory")
    }
  }

  func testHungProgramIsKilledWithItsChildren() throws {
    let run = try shell("sleep 1000 & echo $!; wait", timeoutSeconds: 0.2)
    XCTAssertEqual(run.ending, .timedOut)
    XCTAssertEqual(run.failure, "killed, its time was up")
    try assertEnds(process: run.output)
  }

  func testNothingIsLeftOfAProgramThatEndedWell() throws {
    let run = try shell("sleep 1000 >/dev/null & echo $!")
    XCTAssertEqual(run.ending, .exited(0))
    try assertEnds(process: run.output)
  }

  /// The reader of the launcher's result ends before the program, as a benchmark does that is interrupted.
  func testProgramEndsWithItsStarter() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let run = try shell("\(launcher.path) 3 0 -- /bin/sh -c 'echo $$ >&2; exec sleep 1000' 3>&1 | sleep 1")
    XCTAssertEqual(run.ending, .exited(0))
    try assertEnds(process: run.errorOutput)
  }

  /// Waits until the process is gone, or ended and only not yet waited for by whoever inherited it.
  private func assertEnds(process: String, line: UInt = #line) throws {
    let pid = try XCTUnwrap(Int(process.trimmingCharacters(in: .whitespacesAndNewlines)), process, line: line)
    for _ in 0..<2_000 {
      guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return }
      if stat.contains(") Z ") || stat.contains(") X ") { return }
      usleep(5_000)
    }
    XCTFail("process \(pid) is still there", line: line)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// Programs that know nothing of this package, asked about their memory.
final class PreloadedProgramTests: XCTestCase {
  private var scratch: TemporaryFolder!

  override func setUpWithError() throws { scratch = try TemporaryFolder() }

  override func tearDown() { scratch = nil }

  private static func library(_ name: String) -> String {
    URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("lib\(name).so").path
  }

  /// Leaks 5,000 blocks for each byte that it reads. With an argument a thread of its own does, which has been there before, and
  /// takes and returns blocks of that size all the time. Under a library of this package it also releases blocks by their size.
  private static let leaking = """
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    void free_sized(void *, size_t) __attribute__((weak));
    void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));
    void *kept[5000];
    static int has_thread;
    __attribute__((noinline)) void leak_session(int i) {
      char *block = kept[i] = malloc(1000);
      *block = 1;
      if (!free_sized) return;
      free_sized(malloc(1000), 1000);
      free_aligned_sized(aligned_alloc(64, 1024), 64, 1024);
    }
    __attribute__((noinline)) void churn(void) { char *volatile block = malloc(1000); *block = 1; free(block); }
    static void *serve(void *unused) {
      for (int i = 0; i < 10000; i++) churn();
      puts("ready");
      fflush(stdout);
      char byte;
      while (read(0, &byte, 1) == 1) {
        for (int i = 0; i < 5000; i++) {
          leak_session(i);
          for (int j = 0; has_thread && j < 10; j++) churn();
        }
        puts("leaked");
        fflush(stdout);
      }
      return unused;
    }
    int main(int count, char **words) {
      has_thread = count > 1;
      pthread_t thread;
      if (!has_thread) return serve(NULL) != NULL;
      pthread_create(&thread, NULL, serve, NULL);
      pthread_join(thread, NULL);
    }
    """

  private struct Answer {
    var status: Int32
    var standardOutput: String

    var lines: [String] { standardOutput.isEmpty ? [""] : standardOutput.split(separator: "\n").map(String.init) }
    var transcript: String { "status \(status): \(standardOutput)" }
  }

  /// What a profile of the program above says that begins before it leaks.
  ///
  /// - Parameter hasLines: whether lines of functions are looked for, which takes longer than all the rest.
  private static func profile(
    _ program: String, _ arguments: [String] = [], under library: String, interval: String, _ options: [String] = [],
    hasLines: Bool = false
  ) throws -> Answer {
    let started = try StartedProgram(
      [program] + arguments, environment: ["LD_PRELOAD": Self.library(library), "ALLOCATORS_INSIGHT": "1"])
    XCTAssertEqual(started.line(), "ready", library)
    let pid = "\(started.processIdentifier)"
    let tool = try StartedProgram(
      [Tool.path, "profile", pid, "--seconds", "600", "--interval", interval] + options,
      environment: hasLines ? [:] : Tool.withoutSymbolizer, hasErrors: false)
    // When the thread that a profile has is there, it is being started; who asks then is answered when it has been.
    while tool.isRunning && !threads(of: pid).contains("heap profile") { usleep(2_000) }
    XCTAssertEqual(try Tool.run(["stats", pid]).status, 0)
    try started.say("x")
    XCTAssertEqual(started.line(), "leaked", library)
    tool.send(SIGINT)
    let text = tool.rest()
    return Answer(status: try tool.wait(), standardOutput: text)
  }

  func testAProgramInC() throws {
    let program = try scratch.compile("leaking", Self.leaking, ["-fno-omit-frame-pointer", "-pthread"])
    let libraries = [
      ("NestPreload", "nest"), ("NestHardenedPreload", "nest-hardened"), ("CountingPreload", "counting"),
      ("TracingPreload", "tracing"), ("InsightPreload", "glibc"),
    ]
    try concurrently(TestEffort.choice(libraries, quick: [libraries[0], libraries[4]])) { library, allocator in
      let run = try Self.profile(program, under: library, interval: "16K")
      XCTAssertEqual(run.status, 0, run.transcript)
      let match = run.lines[0].firstMatch(of: #/ (\d+) % of it from leak_session \(([0-9,]+) × blocks, ±/#)
      let count = match.flatMap { Int($0.2.filter { $0 != "," }) } ?? 0
      // 5,000 blocks of 1,000 bytes: the standard error is 5.7 %, and this is five of them.
      XCTAssertTrue((3_600...6_400).contains(count), "\(library): \(run.transcript)")
      XCTAssertTrue(run.standardOutput.contains("; allocator \(allocator)"), run.transcript)
    }
  }

  // MARK: Odd programs

  /// With one byte between samples counts are exact: where all slots are bound at once and protected (full RELRO), where they are bound
  /// at the first call, and in a thread that was there before, and needs the allocator's fast path alone.
  func testOddPrograms() throws {
    let programs: [([String], [String])] = [
      (["-Wl,-z,relro,-z,now", "-pie", "-fPIE"], []), (["-Wl,-z,relro,-z,now", "-no-pie"], []),
      (["-Wl,-z,lazy"], []), (["-Wl,-z,relro,-z,now"], ["thread"]),
    ]
    var trials: [(program: String, arguments: [String], library: String)] = []
    for (number, (options, arguments)) in programs.enumerated() where TestEffort.isFull || number % 3 == 0 {
      let program = try scratch.compile(
        "odd\(number)", Self.leaking, options + ["-fno-omit-frame-pointer", "-pthread"])
      // By default what needs the allocator's fast path alone is run on the one that has it.
      let libraries = TestEffort.isFull || arguments.isEmpty ? ["NestPreload", "InsightPreload"] : ["NestPreload"]
      trials += libraries.map { (program, arguments, $0) }
    }
    try concurrently(trials) { program, arguments, library in
      let run = try Self.profile(program, arguments, under: library, interval: "1")
      XCTAssertEqual(run.status, 0, run.transcript)
      XCTAssertNotNil(
        run.lines[0].firstMatch(of: #/ from leak_session \(5,000 × blocks, ±0 %\)$/#),
        "\(program) \(library): \(run.transcript)")
      XCTAssertFalse(run.standardOutput.contains("could not be written"), run.transcript)
    }
  }

  /// Addresses and a build id, and names with a file that has them.
  func testAStrippedProgram() throws {
    guard CommandResult.locate("strip") != nil else { throw XCTSkip("no strip here") }
    let whole = try scratch.compile(
      "whole", Self.leaking, ["-g", "-fno-omit-frame-pointer", "-pthread", "-Wl,--build-id"])
    let program = scratch.path("stripped")
    XCTAssertEqual(try CommandResult.run(["strip", "-o", program, whole]).status, 0)
    let debug = scratch.path("whole.debug")
    XCTAssertEqual(try CommandResult.run(["objcopy", "--only-keep-debug", whole, debug]).status, 0)
    let notes = try CommandResult.run(["readelf", "-n", program]).standardOutput
    let buildID = try XCTUnwrap(notes.firstMatch(of: #/Build ID: ([0-9a-f]+)/#)?.1, notes)

    let path = scratch.path("before.pb.gz")
    let trials = [[], ["--symbols", whole], ["--symbols", debug], ["-o", path]]
    let runs = try concurrently(trials) { options in
      try Self.profile(
        program, under: "InsightPreload", interval: "1", options, hasLines: options.last == debug)
    }
    let plain = runs[0]
    XCTAssertNotNil(plain.lines[0].firstMatch(of: #/ from stripped\+0x[0-9a-f]+ \(5,000 × blocks/#), plain.transcript)
    XCTAssertTrue(
      plain.standardOutput.contains("stripped has no symbols (build id \(buildID)): --symbols "), plain.transcript)

    for (index, named) in runs.enumerated() where trials[index].first == "--symbols" {
      XCTAssertTrue(named.lines[0].hasSuffix(" from leak_session (5,000 × blocks, ±0 %)"), named.transcript)
      XCTAssertFalse(named.standardOutput.contains("has no symbols"), named.transcript)
      if trials[index].last == debug, CommandResult.locate("llvm-symbolizer") != nil {
        XCTAssertNotNil(named.standardOutput.firstMatch(of: #/leak_session  \[whole\.c:[0-9]+\]/#), named.transcript)
      }
    }

    // A profile that was taken before, and files that do not fit.
    XCTAssertEqual(runs[3].status, 0, runs[3].transcript)
    let files = [(program, "has no symbols"), (Tool.path, "and nothing in the profile has")]
    let others = try Tool.run(all: files.map { ["diff", path, path, "--symbols", $0.0] })
    for ((_, reason), other) in zip(files, others) {
      XCTAssertEqual(other.status, 0, other.transcript)
      XCTAssertTrue(other.standardOutput.contains(reason), other.transcript)
    }
    try Tool.checkRefusal(["diff", path, path, "--symbols", "/nowhere"], status: 66, says: "/nowhere cannot be read")
  }

  /// Its stacks are found by the tables for exceptions. Where there are none either, that is said.
  func testAProgramWithoutFramePointers() throws {
    let options = ["-O2", "-fomit-frame-pointer", "-pthread", "-fno-inline", "-fno-optimize-sibling-calls"]
    let tables = ["-fasynchronous-unwind-tables"], none = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
    let with = try scratch.compile("bare", Self.leaking, options + tables)
    let without = try scratch.compile("barer", Self.leaking, options + none)
    let note = "neither frame pointers (-fno-omit-frame-pointer) nor unwind tables (-funwind-tables)"
    let cases = [(with, []), (without, []), (with, ["thread"])]
    try concurrently(TestEffort.choice(cases, quick: Array(cases.prefix(2)))) { program, arguments in
      let run = try Self.profile(program, arguments, under: "InsightPreload", interval: "1")
      XCTAssertEqual(run.status, 0, run.transcript)
      XCTAssertTrue(run.lines[0].contains("(5,000 × blocks, ±0 %)"), run.transcript)
      XCTAssertEqual(run.standardOutput.contains(note), program == without, run.transcript)
      if program == without { return }
      XCTAssertTrue(run.lines[0].contains(" from leak_session "), run.transcript)
      let caller = arguments.isEmpty ? "main" : "start_thread|libc\\.so"
      let stack = try Regex("\n  leak_session .*\n  serve .*\n  (\(caller))")
      XCTAssertNotNil(run.standardOutput.firstMatch(of: stack), run.transcript)
    }
  }

  private static func threads(of pid: String) -> [String] {
    let folder = "/proc/\(pid)/task"
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { thread in
      (try? FileHandle(forReadingFrom: URL(fileURLWithPath: "\(folder)/\(thread)/comm")).readToEnd()).map {
        String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      }
    }
  }

  /// A child that is another program has a socket of its own; a child that is not has none, and goes on.
  func testPythonAndItsChildren() throws {
    guard let python = CommandResult.locate("python3") else { throw XCTSkip("no python3 here") }
    let script = """
      import os, subprocess, sys
      child = subprocess.Popen([sys.executable, "-c", "import os; print(os.getpid(), flush=True); os.read(0, 1)"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
      fork = os.fork()
      if fork == 0:
          blocks = [bytes(100000) for _ in range(100)]
          os.read(0, 1)
          os._exit(0)
      print(child.stdout.readline().strip(), fork, flush=True)
      os.read(0, 1)
      child.communicate("x")
      os.waitpid(fork, 0)
      """
    let started = try StartedProgram(
      [python, "-c", script], environment: ["LD_PRELOAD": Self.library("NestPreload"), "ALLOCATORS_INSIGHT": "1"])
    let children = started.line().split(separator: " ").map(String.init)
    XCTAssertEqual(children.count, 2)
    let pids = ["\(started.processIdentifier)", children.first ?? ""]
    for report in try Tool.run(all: pids.map { ["stats", $0] }) {
      XCTAssertEqual(report.status, 0, report.transcript)
      XCTAssertTrue(report.standardOutput.contains("allocator  nest"), report.transcript)
    }
    try Tool.checkRefusal(["profile", children.last ?? ""], status: 69, says: "does not answer itself")
    try started.say("xx")
    XCTAssertEqual(try started.wait(), 0)
  }

  /// Only `1` asks for it; and where the library is missing, that is said, and the program runs.
  func testWhoDoesNotAskForIt() throws {
    let runs = try concurrently(["", "0", "2", "yes"]) { value in
      try CommandResult.run(
        ["cat", "/proc/self/maps"],
        environment: ["LD_PRELOAD": Self.library("NestPreload"), "ALLOCATORS_INSIGHT": value])
    }
    for run in runs {
      XCTAssertEqual(run.status, 0, run.transcript)
      XCTAssertTrue(run.standardOutput.contains("libNestPreload.so"), run.transcript)
      XCTAssertFalse(run.standardOutput.contains("libswiftCore"), run.transcript)
      XCTAssertEqual(run.standardError, "")
    }
    let alone = scratch.path("libNestPreload.so")
    try FileManager.default.copyItem(atPath: Self.library("NestPreload"), toPath: alone)
    let run = try CommandResult.run(["echo", "done"], environment: ["LD_PRELOAD": alone, "ALLOCATORS_INSIGHT": "1"])
    XCTAssertEqual(run.status, 0, run.transcript)
    XCTAssertEqual(run.standardOutput, "done\n")
    XCTAssertTrue(run.standardError.hasPrefix("swift-allocators: nobody can ask process "), run.transcript)
    XCTAssertTrue(run.standardError.contains("libInsightPreload.so"), run.transcript)
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocationTrace
import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// `allocators record` and `allocators replay`.
final class TraceCommandTests: XCTestCase {
  private static let products = URL(fileURLWithPath: Tool.path).deletingLastPathComponent()

  private func product(_ name: String) -> String { Self.products.appendingPathComponent(name).path }

  /// Records a command and reads the trace.
  private func record(
    _ command: [String], options: [String] = [], status: Int32 = 0, environment: [String: String] = [:]
  ) throws -> (run: CommandResult, trace: AllocationTrace) {
    let folder = try TemporaryFolder()
    let file = folder.path("trace")
    let run = try Tool.run(["record", "-o", file] + options + ["--"] + command, environment: environment)
    XCTAssertEqual(run.status, status, run.transcript)
    return (run, try AllocationTrace(path: file))
  }

  private struct Counts: Equatable {
    var allocations = 0
    var reallocations = 0
    var deallocations = 0
  }

  /// What the library that counts says of a command.
  private func counts(_ command: [String], environment: [String: String] = [:]) throws -> Counts {
    let library = product("libCountingPreload.so")
    let variables = ["LD_PRELOAD": library, "ALLOCATOR_COUNTS": "1"].merging(environment) { $1 }
    let run = try CommandResult.run(
      ["env"] + variables.map { "\($0.key)=\($0.value)" } + command)
    XCTAssertEqual(run.status, 0, run.transcript)
    let pattern = #/: (\d+) allocations, (\d+) reallocations, (\d+) deallocations, 0 failures, \d+ bytes\n$/#
    let line = try XCTUnwrap(run.standardError.firstMatch(of: pattern), run.transcript)
    return Counts(allocations: Int(line.1)!, reallocations: Int(line.2)!, deallocations: Int(line.3)!)
  }

  private func counts(ofPlan trace: AllocationTrace) throws -> Counts {
    let folder = try TemporaryFolder()
    try Data(ReplayPlan(trace, samples: 5).bytes).write(to: URL(fileURLWithPath: folder.path("plan")))
    return try counts([product("trace-replayer"), folder.path("plan")])
  }

  /// A Swift program's calls are in the trace, each one, and the replay makes them, each one: two other libraries have counted them.
  func testReplayMakesExactlyTheCallsOfASwiftProgram() throws {
    let count = TestEffort.count(20_000, quick: 5_000)
    let text = "let count = \(count)\n" + Self.swiftProgram
    let program = [try CompiledText.path("traced", text, suffix: "swift", ["swiftc", "-O"])]
    let environment = ["SWIFT_DETERMINISTIC_HASHING": "1"]
    let (run, trace) = try record(program, environment: environment)
    XCTAssertTrue(run.standardOutput.hasPrefix("\(count) "), run.transcript)
    let summary = trace.summary
    XCTAssertEqual(summary.state, .whole)
    XCTAssertEqual(summary.failures, 0)
    XCTAssertGreaterThan(summary.calls, 4 * count)
    XCTAssertEqual(summary.threads, 1)
    let recorded = Counts(
      allocations: summary.allocations + summary.zeroedAllocations, reallocations: summary.reallocations,
      deallocations: summary.deallocations + summary.sizedDeallocations)
    XCTAssertEqual(recorded, try counts(program, environment: environment))

    let nothing = try counts(ofPlan: AllocationTrace(bytes: AllocationTrace.file(entries: [])))
    var replayed = try counts(ofPlan: trace)
    replayed.allocations -= nothing.allocations
    replayed.reallocations -= nothing.reallocations
    replayed.deallocations -= nothing.deallocations
    XCTAssertEqual(replayed, recorded)
  }

  /// Objects, strings, arrays and dictionaries, and the same ones each time.
  private static let swiftProgram = """
    final class Node {
      var name: String, next: Node?
      init(_ name: String, _ next: Node?) { (self.name, self.next) = (name, next) }
    }
    var words: [String: [Int]] = [:]
    var list: Node?
    for number in 0..<count {
      words["a word that is long enough \\(number % 3_000)", default: []].append(number)
      list = Node("and the name of an object, number \\(number)", number % 100 == 0 ? nil : list)
    }
    print(words.values.reduce(0) { $0 + $1.count }, list?.name ?? "")
    """

  /// Threads replay what threads have done, on each allocator; blocks cross from one to the other.
  func testReplayOfThreads() throws {
    let folder = try TemporaryFolder()
    let count = TestEffort.count(20_000, quick: 1_500)
    let program = try folder.compile("threads", Self.threads, ["-pthread", "-DCOUNT=\(count)"])
    let file = folder.path("trace")
    let recorded = try Tool.run(["record", "-o", file, "--", program])
    XCTAssertEqual(recorded.status, 0, recorded.transcript)
    let summary = try AllocationTrace(path: file).summary
    XCTAssertEqual(summary.state, .whole)
    XCTAssertEqual(summary.threads, 4)
    XCTAssertGreaterThan(summary.calls, 6 * count)
    let json = folder.path("json")
    let run = try Tool.run(["replay", file, "--rounds", "2", "--json", json])
    XCTAssertEqual(run.status, 0, run.transcript)
    struct Report: Decodable {
      struct Result: Decodable {
        var allocator: String
        var seconds: [Double]
        var resident: [[Int]]
        var calls: [String: Int]
      }
      var calls: Int
      var threads: Int
      var isWhole: Bool
      var liveBytes: [Int]
      var results: [Result]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(fileURLWithPath: json)))
    XCTAssertEqual(report.threads, 4)
    XCTAssertTrue(report.isWhole)
    XCTAssertEqual(report.results.first?.allocator, "system")
    XCTAssertTrue(report.results.contains { $0.allocator == "nest" })
    for result in report.results {
      XCTAssertEqual(result.calls["deallocate"], summary.deallocations + summary.sizedDeallocations, result.allocator)
      XCTAssertEqual(result.calls.values.reduce(0, +), report.calls, result.allocator)
      XCTAssertEqual(result.seconds.count, 2)
      XCTAssertEqual(result.resident.map(\.count), [report.liveBytes.count, report.liveBytes.count])
      // Each page of what is live has been written to.
      XCTAssertGreaterThan(result.resident[0].max()!, report.liveBytes.max()! * 9 / 10, result.allocator)
      XCTAssertTrue(run.lines.contains { $0.hasPrefix(result.allocator) }, run.transcript)
    }
  }

  /// Two threads allocate, two release what they get from these.
  private static let threads = """
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdlib.h>
    #include <sched.h>
    static _Atomic(void *) box[2][64];
    static void *give(void *n) {
      for (int i = 0; i < COUNT; i++) {
        void *p = realloc(malloc(i % 300 + 1), i % 1000 + 1), *none = 0;
        while (!atomic_compare_exchange_weak(&box[(long)n][i % 64], &none, p)) { none = 0; sched_yield(); }
      }
      return 0;
    }
    static void *take(void *n) {
      for (int i = 0; i < COUNT; i++) {
        void *p;
        while (!(p = atomic_exchange(&box[(long)n][i % 64], 0))) sched_yield();
        free(p);
      }
      return 0;
    }
    int main(void) {
      pthread_t t[3];
      // Resident, and live until the end.
      char *volatile much = malloc(3 << 20);
      pthread_create(t, 0, give, (void *)0); pthread_create(t + 1, 0, take, (void *)0);
      pthread_create(t + 2, 0, give, (void *)1); take((void *)1);
      for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
      return !much;
    }
    """

  func testExitStatusAndSignalsAreTheProgramsOwn() throws {
    XCTAssertEqual(try record(["sh", "-c", "exit 7"], status: 7).trace.summary.state, .whole)
    XCTAssertEqual(try record(["sh", "-c", "kill -TERM $$"], status: 128 + SIGTERM).trace.summary.state, .whole)
    // What is sent to the recorder reaches the program, which has it as its shell does.
    let folder = try TemporaryFolder()
    let script = """
      \(Tool.path) record -o \(folder.path("trace")) -- \
        sh -c 'trap "exit 9" TERM; echo > \(folder.path("up")); while :; do sleep 0.05; done' &
      while [ ! -e \(folder.path("up")) ]; do sleep 0.05; done; kill -TERM $!; wait $!
      """
    let run = try CommandResult.run(["sh", "-c", script])
    XCTAssertEqual(run.status, 9, run.transcript)
    XCTAssertNoThrow(try AllocationTrace(path: folder.path("trace")))
  }

  /// After exec the trace is the new program's; children are not in it, unless one is asked for by name.
  func testExecAndChildren() throws {
    let sort = try record(["sort", "/etc/passwd"]).trace.summary
    XCTAssertEqual(sort.earlierPrograms, 0)
    let executed = try record(["sh", "-c", "exec sort /etc/passwd"]).trace.summary
    XCTAssertEqual(executed.earlierPrograms, 1)
    XCTAssertEqual(executed.state, .whole)
    XCTAssertEqual(executed.allocations, sort.allocations)
    let child = try record(["sh", "-c", "sort /etc/passwd; sort /etc/group; true"], options: ["--of", "sort"])
      .trace.summary
    XCTAssertEqual(child.allocations, sort.allocations)
    XCTAssertEqual(child.state, .whole)
    let shell = try record(["sh", "-c", "sort /etc/passwd; true"]).trace.summary
    XCTAssertEqual(shell.state, .whole)
    let none = try record(["sh", "-c", "true"], options: ["--of", "nobody"])
    XCTAssertEqual(none.trace.summary.calls, 0)
    XCTAssertTrue(none.run.standardError.contains("no process loaded the library and ran nobody"), none.run.transcript)
    let folder = try TemporaryFolder()
    let forked = try record([folder.compile("forking", Self.forking)]).trace
    var sizes: [Int] = []
    try forked.forEach { event, _ in sizes.append(event.size) }
    XCTAssertTrue(sizes.contains(54_321))
    XCTAssertFalse(sizes.contains(12_345), "a child's call")
    XCTAssertEqual(forked.summary.state, .whole)
  }

  /// A program that cannot be recorded takes the place of one that can.
  func testExecOfStaticProgram() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let folder = try TemporaryFolder()
    let program = try folder.compile(
      "static", "#include <unistd.h>\nint main(void) { return usleep(900000); }", ["-static"])
    let (run, trace) = try record(["sh", "-c", "sleep 0.3; exec \(program)"])
    XCTAssertEqual(
      trace.summary.defect, "the process became another program, which could not be recorded", run.transcript)
  }

  private static let forking = """
    #include <stdlib.h>
    #include <sys/wait.h>
    #include <unistd.h>
    int main(void) {
      for (int i = 0; i < 20; i++) {
        if (fork() == 0) { void *volatile p = malloc(12345); free(p); _exit(0); }
        wait(0);
      }
      void *volatile p = malloc(54321);
      return !p;
    }
    """

  func testWhatCannotBeRecorded() throws {
    let folder = try TemporaryFolder()
    let trace = folder.path("trace")
    let program = try folder.compile("static", "int main(void) { return 0; }", ["-static"])
    try Tool.checkRefusals([
      (
        ["record", "-o", trace, "--", program], 126,
        "cannot record: \(program) is a static executable: it ignores LD_PRELOAD"
      ),
      (["record", "-o", trace, "--", "/no/such"], 127, "there is no program"),
      (["record", "-o", trace], 64, "a command is missing"),
      (["record", "--", "true"], 64, "output"),
      (["record", "-o", trace, "--of", "a/b", "--", "true"], 64, "without folders"),
      (["record", "-o", "/dev/full", "--", "true"], 73, "is no regular file"),
      (["record", "-o", folder.path("no/such"), "--", "true"], 73, "cannot be written"),
    ])
  }

  func testWhatCannotBeReplayed() throws {
    let folder = try TemporaryFolder()
    let trace = folder.path("trace")
    XCTAssertEqual(try Tool.run(["record", "-o", trace, "--", "sort", "/etc/passwd"]).status, 0)
    let good = try Data(contentsOf: URL(fileURLWithPath: trace))
    func file(_ name: String, _ bytes: Data) throws -> String {
      try bytes.write(to: URL(fileURLWithPath: folder.path(name)))
      return folder.path(name)
    }
    var other = good
    other[8] = 9
    let refused = [
      (try file("cut", good.dropLast(1)), "is cut off"), (try file("empty", Data()), "is empty"),
      (try file("other", other), "is a trace of version 9"),
      (try file("text", Data("hello, world".utf8)), "is no trace"),
      (folder.path("."), "is a directory"), ("/dev/zero", "is no regular file"),
    ]
    try Tool.checkRefusals(refused.map { (["replay", $0], 65, $1) })
    try Tool.checkRefusals([
      (["replay", folder.path("none")], 66, "No such file or directory"),
      (["replay", trace, "--allocators", "nobody"], 64, "there is no allocator 'nobody'"),
      (["replay", trace, "--rounds", "0"], 64, "numbers above 0"),
      (["replay", trace, "--json", folder.path("no/such")], 73, "cannot be written"),
    ])
  }

  /// The recorder is stopped for longer than a call waits: the program goes on, and the trace says that it is not whole.
  func testRecorderThatStands() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let folder = try TemporaryFolder()
    let trace = folder.path("trace")
    let program = try folder.compile("many", Self.many)
    let script = """
      \(Tool.path) record -o \(trace) -- \(program) \(folder.path("begun")) \(folder.path("ended")) & recorder=$!
      while [ ! -e \(folder.path("begun")) ]; do sleep 0.02; done
      kill -STOP $recorder; echo > \(folder.path("go"))
      for i in $(seq 600); do [ -e \(folder.path("ended")) ] && break; sleep 0.05; done
      [ -e \(folder.path("ended")) ] && echo ended; kill -CONT $recorder; wait $recorder
      """
    let run = try CommandResult.run(["sh", "-c", script])
    XCTAssertEqual(run.status, 0, run.transcript)
    XCTAssertEqual(run.lines, ["ended"], run.transcript)
    XCTAssertTrue(run.standardError.contains("the trace is not whole: "), run.transcript)
    let summary = try AllocationTrace(path: trace).summary
    XCTAssertEqual(summary.state, .notWhole)
    XCTAssertGreaterThan(summary.lostCalls, 100_000)
    let replayed = try Tool.run(["replay", trace, "--rounds", "1", "--allocators", "system"])
    XCTAssertEqual(replayed.status, 0, replayed.transcript)
    XCTAssertTrue(
      replayed.standardOutput.contains("note: the trace is not whole: \(summary.lostCalls) calls were lost"))
  }

  /// Says that it has begun, waits until the file "go" is there, and makes a million calls.
  private static let many = """
    #include <fcntl.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
      char go[4096];
      strcpy(go, argv[1]);
      strcpy(strrchr(go, '/'), "/go");
      void *volatile first = malloc(1);
      close(open(argv[1], O_CREAT | O_WRONLY, 0600));
      while (access(go, F_OK) != 0) usleep(10000);
      for (int i = 0; i < 500000; i++) { void *volatile p = malloc(i % 100); free(p); }
      close(open(argv[2], O_CREAT | O_WRONLY, 0600));
      return !first;
    }
    """

  /// A disk that is full: the program goes on, and the trace says that it is not whole.
  func testFullDisk() throws {
    let folder = try TemporaryFolder()
    let count = TestEffort.count(200_000, quick: 60_000)
    let script = """
      mount -t tmpfs -o size=256k tmpfs "$1" || exit 77
      "$2" record -o "$1/trace" -- perl -e '@a = map { "x$_" } 1..\(count); print scalar(@a), "\\n"' && cp "$1/trace" "$3"
      """
    let disk = folder.path("disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let run = try CommandResult.run(
      ["unshare", "-rm", "sh", "-c", script, "sh", disk, Tool.path, folder.path("copy")])
    if run.status == 77 || run.standardError.contains("unshare") || run.standardError.contains("perl: not found") {
      throw XCTSkip("a small disk cannot be made here: \(run.standardError)")
    }
    XCTAssertEqual(run.status, 0, run.transcript)
    XCTAssertEqual(run.standardOutput, "\(count)\n")
    XCTAssertTrue(run.standardError.contains("not whole: the file could not be written (No space left"), run.transcript)
    let summary = try AllocationTrace(path: folder.path("copy")).summary
    XCTAssertEqual(summary.writeError, Int(ENOSPC))
    XCTAssertGreaterThan(summary.calls, 0)
    XCTAssertGreaterThan(summary.unwrittenCalls, count / 2)
  }

  /// With --times the trace has the time between calls.
  func testTimes() throws {
    let trace = try record(["sh", "-c", "read a < /dev/null; exec sleep 0.05"], options: ["--times"]).trace
    XCTAssertTrue(trace.summary.hasTimes)
    var total: UInt64 = 0
    try trace.forEach { event, _ in total += event.nanoseconds }
    XCTAssertGreaterThan(total, 0)
  }
}

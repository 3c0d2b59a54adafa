// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// Real programs under the preloaded library: the output is the one without it, byte for byte.
final class PreloadTests: XCTestCase {
  /// The libraries' files of debug and release builds.
  private func librariesOfAllBuilds() throws -> [String] {
    try (PreloadLibrary.allCases + [.tracing]).flatMap { [try $0.path(.debug), try $0.path(.release)] }
  }

  func testNeedsNothingOfSwift() throws {
    for library in try librariesOfAllBuilds() {
      let dynamic = try CommandResult.run(["readelf", "-d", library])
      let needed = dynamic.lines.filter { $0.contains("(NEEDED)") }
      XCTAssertEqual(needed.count, 1, "\(library): \(needed)")
      XCTAssertTrue(needed.first?.contains("[libc.so.6]") ?? false, "\(library): \(needed)")
    }
  }

  /// All cases of the malloc family, in a program without a word of Swift.
  func testCasesInCProgram() throws { try Self.checkCases(.release) }

  /// - Parameter isShort: on that of Nest alone, and each case does what it does less often.
  static func checkCases(_ configuration: FixturePackage.Configuration, isShort: Bool = true) throws {
    let program = try CProgram(cases: "Programs/Sources/CCases")
    let sources = Repository.fixtures.appendingPathComponent("Programs/Sources/CGuest")
    let guest = try CompiledFixture.file("guest.so") { path in
      ["sh", "-c", #"clang -O1 -shared -fPIC -I "$1/include" "$1/guest.c" -o "$2""#, "sh", sources.path, path]
    }
    for library in try (isShort ? [.nest] : PreloadLibrary.allCases + [.tracing]).map({
      try $0.path(configuration)
    }) {
      let names = MallocFamilyTests.cases + ["trim", "statistics"]
      let runs = try CommandResult.run(
        all: names.map { ["env", "LD_PRELOAD=\(library)", "GUEST_LIBRARY=\(guest)", program.path, $0] },
        environment: CProgram.environment(isShort: isShort))
      for (name, run) in zip(names, runs) { XCTAssertEqual(run.status, 0, "\(library) \(name): \(run.transcript)") }
    }
  }

  /// Where a program replaces operator new and the unsized operator delete, the sized form calls the latter.
  func testReplacedOperators() throws {
    let source = Repository.fixtures.appendingPathComponent("PreloadPrograms/replaced.cpp").path
    let program = try CompiledFixture.file("replaced") { path in
      ["clang++", "-std=c++17", "-fsized-deallocation", source, "-o", path]
    }
    try concurrently(librariesOfAllBuilds()) { library in
      let run = try CommandResult.run(["env", "LD_PRELOAD=\(library)", program])
      XCTAssertEqual(run.status, 0, "\(library): \(run.transcript)")
    }
  }

  /// The counts appear when the environment asks for them, and only then.
  func testCounts() throws {
    let library = try PreloadLibrary.counting.path(.release)
    let silent = try CommandResult.run(["env", "LD_PRELOAD=\(library)", "sort", "/etc/passwd"])
    XCTAssertEqual(silent.standardError, "")
    let counted = try CommandResult.run(["env", "LD_PRELOAD=\(library)", "ALLOCATOR_COUNTS=1", "sort", "/etc/passwd"])
    XCTAssertEqual(counted.standardOutput, silent.standardOutput)
    let pattern = #/(?s).*: (\d+) allocations, \d+ reallocations, (\d+) deallocations, 0 failures, (\d+) bytes\n/#
    let report = try XCTUnwrap(counted.standardError.wholeMatch(of: pattern), counted.transcript)
    for number in [report.1, report.2, report.3] { XCTAssertGreaterThan(Int(number) ?? 0, 10, counted.transcript) }
  }

  func testPython() throws {
    try RealProgram.compare(
      "python3",
      """
      python3 -c '
      import json, re, zlib, threading, subprocess
      data = {str(i): [j * i for j in range(i % 50)] for i in range(\(TestEffort.count(3000, quick: 300)))}
      text = json.dumps(data, sort_keys=True)
      assert json.loads(text) == data
      results = []
      def work(n):
          results.append((n, zlib.crc32(zlib.compress((text * 3)[n:].encode(), 6))))
      threads = [threading.Thread(target=work, args=(n,)) for n in range(\(TestEffort.count(8, quick: 3)))]
      [t.start() for t in threads]
      [t.join() for t in threads]
      print(sorted(results), len(re.findall(r"[0-9]+", text)))
      print(subprocess.run(["echo", "child"], capture_output=True).stdout)
      '
      """)
  }

  func testGit() throws {
    try RealProgram.compare(
      "git",
      """
      export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' GIT_CONFIG_GLOBAL=/dev/null
      export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
      git init -q -b main repository && cd repository
      for n in \(TestEffort.choice(["1", "2", "3", "4", "5", "6", "7", "8"], quick: ["1", "2", "3"]).joined(separator: " ")); do seq 1 ${n}000 >file$n; seq $n 7 9000 >common; git add .; git commit -qm "commit $n"; done
      git repack -adfq && git fsck --full 2>&1
      git log -p --stat | cksum
      git rev-parse HEAD; git grep -c 77; git blame common | cksum; git archive HEAD | cksum
      """)
  }

  func testPerl() throws {
    try RealProgram.compare(
      "perl",
      """
      perl -e '
      my %h; srand(1);
      for my $i (1..\(TestEffort.count(50_000, quick: 15_000))) { $h{sprintf("%x", ($i * 2654435761) % 65521)} .= chr(65 + $i % 26); }
      my $s = join ",", map { "$_=$h{$_}" } sort keys %h;
      $s =~ s/([0-9]+)/<$1>/g;
      print length($s), " ", unpack("%32C*", $s), " ", scalar(() = $s =~ /<[0-9]+>[a-f]/g), "\\n";
      '
      """)
  }

  func testGcc() throws {
    let sources = Repository.fixtures.appendingPathComponent("Programs/Sources").path
    try RealProgram.compare(
      "gcc",
      """
      for file in \(TestEffort.choice(["functions", "life", "cases"], quick: ["cases"]).joined(separator: " ")); do
        gcc -O2 -I "\(sources)/CCases/include" -S "\(sources)/CCases/$file.c" -o $file.s && cat $file.s
        gcc -c $file.s -o $file.o && cksum $file.o
      done
      """)
  }

  func testSqlite() throws {
    try RealProgram.compare(
      "sqlite3",
      """
      sqlite3 data.db "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, value REAL);
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 30000)
      INSERT INTO t SELECT x, printf('name %d', x * 7919 % 30011), x / 3.0 FROM c;
      CREATE INDEX i ON t (name); DELETE FROM t WHERE id % 5 = 0; VACUUM; PRAGMA integrity_check;
      SELECT count(*), sum(value), group_concat(name) FROM (SELECT * FROM t ORDER BY name LIMIT 500);"
      cksum data.db
      """)
  }

  /// The server allocates by way of `malloc`, also where it is linked with jemalloc.
  func testRedis() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    try RealProgram.compare(
      "redis-server",
      """
      # The path of a socket may not be long.
      sockets=$(mktemp -d) && socket=$sockets/redis
      redis-server --port 0 --unixsocket $socket --save '' --enable-debug-command yes >server.log 2>&1 &
      server=$!
      trap 'kill $server 2>/dev/null; rm -rf $sockets' EXIT
      send() { timeout 60 redis-cli -s $socket "$@"; }
      for attempt in $(seq 300); do send ping >/dev/null 2>&1 && break; sleep 0.1; done
      timeout 120 redis-benchmark -s $socket -t set,get,lpush,lrange_100,hset,zadd,incr -n \(TestEffort.count(10_000, quick: 1_000)) -r 1000 -d 300 -q \
        >benchmark.log 2>&1 || exit 1
      send flushall
      awk 'BEGIN {
        for (i = 0; i < 4000; i++) {
          print "SET string:" i " " sprintf("%" i % 700 + 1 "d", i); print "RPUSH list:" i % 50 " " i
          print "HSET hash:" i % 70 " field:" i " " i * i; print "ZADD sorted:" i % 9 " " i * 7919 % 4001 " member:" i
          if (i % 3 == 0) print "APPEND string:" int(i / 2) " " i; if (i % 5 == 0) print "DEL string:" int(i / 3)
        }
      }' | send | cksum
      send debug digest; send dbsize; send get string:3999; send lrange list:7 0 -1 | cksum
      send hgetall hash:3 | sort | cksum; send zrange sorted:5 0 -1 withscores | cksum
      send bgsave >/dev/null
      for attempt in $(seq 300); do send info persistence | grep -q 'rdb_bgsave_in_progress:0' && break; sleep 0.1; done
      send info persistence | grep rdb_last_bgsave_status
      send debug reload; send debug digest
      send shutdown nosave; wait $server; echo "status $?"
      """)
  }
}

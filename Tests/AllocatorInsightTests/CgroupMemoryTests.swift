// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

@testable import AllocatorInsight

/// Control groups of made-up folders, odd contents and all.
final class CgroupMemoryTests: XCTestCase {
  private var root = ""

  override func setUpWithError() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("cgroup-\(UUID().uuidString)").path
  }

  override func tearDown() { try? FileManager.default.removeItem(atPath: root) }

  private func write(_ files: [String: String]) throws {
    for (path, text) in files {
      let file = URL(fileURLWithPath: "\(root)/\(path)")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  private func read() -> CgroupMemory? {
    CgroupLocation(ofProcess: "1", root: "\(root)/cgroup", proc: "\(root)/proc")?.read()
  }

  func testVersion2() throws {
    try write([
      "proc/1/cgroup": "0::/system.slice/my:service\n",
      "cgroup/system.slice/my:service/memory.max": "536870912\n",
      "cgroup/system.slice/my:service/memory.high": "max\n",
      "cgroup/system.slice/my:service/memory.current": "483183820\n",
      "cgroup/system.slice/my:service/memory.stat": "anon 400000000\nfile 80000000\ninactive_file 53687091\n",
      "cgroup/system.slice/my:service/memory.events": "low 0\nhigh 3\nmax 17\noom 2\noom_kill 1\n",
      "cgroup/system.slice/my:service/memory.pressure":
        "some avg10=12.34 avg60=5.00 avg300=1.00 total=123\nfull avg10=1.50 avg60=0.00 avg300=0.00 total=9\n",
      "cgroup/system.slice/memory.current": "500000000\n",
      "cgroup/system.slice/memory.max": "max\n",
    ])
    let group = try XCTUnwrap(read())
    XCTAssertEqual(group.version, 2)
    XCTAssertEqual(group.limitBytes, 536_870_912)
    XCTAssertNil(group.highBytes)
    XCTAssertEqual(group.currentBytes, 483_183_820)
    XCTAssertEqual(group.idleFileBytes, 53_687_091)
    XCTAssertEqual(try XCTUnwrap(group.usedShare), 0.8, accuracy: 0.001)
    XCTAssertEqual(group.limitHits, 17)
    XCTAssertEqual(group.highHits, 3)
    XCTAssertEqual(group.outOfMemoryKills, 1)
    XCTAssertEqual(group.pressure, .init(some10: 12.34, some60: 5, full10: 1.5, isOfSystem: false))
  }

  /// The limit that is reached first is that of a group above.
  func testLimitOfAParent() throws {
    try write([
      "proc/1/cgroup": "0::/a/b\n",
      "cgroup/a/b/memory.max": "1000000000\n", "cgroup/a/b/memory.current": "100\n",
      "cgroup/a/memory.max": "500000000\n", "cgroup/a/memory.current": "400\n",
      "cgroup/memory.current": "900\n",
    ])
    let group = try XCTUnwrap(read())
    XCTAssertEqual(group.limitBytes, 500_000_000)
    XCTAssertEqual(group.currentBytes, 400)
    XCTAssertTrue(group.folder.hasSuffix("/cgroup/a"), group.folder)
  }

  /// In a container the path is one of the host's, which is not there; the group is the root.
  func testPathOfTheHost() throws {
    try write([
      "proc/1/cgroup": "0::/../../docker/0123\n", "cgroup/memory.max": "1048576\n", "cgroup/memory.current": "4096\n",
    ])
    XCTAssertEqual(read()?.limitBytes, 1_048_576)
  }

  func testVersion1() throws {
    try write([
      "proc/1/cgroup": "9:name=systemd:/\n4:cpu,memory:/jobs/7\n0::/\n",
      "cgroup/memory/jobs/7/memory.limit_in_bytes": "104857600\n",
      "cgroup/memory/jobs/7/memory.usage_in_bytes": "10485760\n",
      "cgroup/memory/jobs/7/memory.failcnt": "5\n",
      "cgroup/memory/jobs/7/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
      "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "cgroup/memory/memory.usage_in_bytes": "99999999\n",
      "proc/pressure/memory": "some avg10=0.00 avg60=0.10 avg300=0.00 total=0\n",
    ])
    let group = try XCTUnwrap(read())
    XCTAssertEqual(group.version, 1)
    XCTAssertEqual(group.limitBytes, 104_857_600)
    XCTAssertEqual(group.currentBytes, 10_485_760)
    XCTAssertNil(group.idleFileBytes, "a tenth of the limit: not worth the cost")
    try write(["cgroup/memory/jobs/7/memory.stat": "inactive_file 1\ntotal_inactive_file 5242880\n"])
    let watched = CgroupLocation(ofProcess: "1", root: "\(root)/cgroup", proc: "\(root)/proc")?.read(watchingFrom: 0.05)
    XCTAssertEqual(try XCTUnwrap(watched?.usedShare), 0.05, accuracy: 0.001)
    XCTAssertEqual(group.limitHits, 5)
    XCTAssertEqual(group.outOfMemoryKills, 2)
    XCTAssertEqual(group.pressure?.isOfSystem, true)
  }

  func testWithoutALimit() throws {
    try write([
      "proc/1/cgroup": "4:memory:/\n", "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "cgroup/memory/memory.usage_in_bytes": "4096\n",
    ])
    let group = try XCTUnwrap(read())
    XCTAssertNil(group.limitBytes)
    XCTAssertNil(group.usedShare)
    XCTAssertEqual(group.currentBytes, 4096)
  }

  /// Whatever stands in the files: what is no number is not known.
  func testOddContents() throws {
    for text in ["", "\n", "max", "-5", "lots\n", "99999999999999999999999\n", "\u{0}\u{1}", "12 34\n56"] {
      try write([
        "proc/1/cgroup": "0::/x\n", "cgroup/x/memory.current": "4096\n", "cgroup/x/memory.max": text,
        "cgroup/x/memory.high": text, "cgroup/x/memory.events": "max \(text)\n\(text)\n\nmax\noom_kill\n",
        "cgroup/x/memory.pressure": "some avg10=\(text) avg60= =\nfull\n\(text)",
      ])
      let group = try XCTUnwrap(read(), text)
      XCTAssertEqual(group.limitBytes, text.hasPrefix("12") ? 12 : nil, text)
      XCTAssertNil(group.pressure, text)
    }
    try write(["cgroup/x/memory.current": "no number\n"])
    XCTAssertNil(read())
  }

  func testNoGroup() throws {
    XCTAssertNil(read(), "no such process")
    try write(["proc/1/cgroup": ""])
    XCTAssertNil(read())
    try write(["proc/1/cgroup": "nonsense\n0:\n::::\n0::/gone\n"])
    XCTAssertNil(read(), "no such folder, and no root")
  }

  /// This very process is in some group that can be read, or in none.
  func testThisProcess() {
    guard let group = CgroupMemory.current else { return }
    XCTAssertGreaterThan(group.currentBytes ?? 0, 0)
  }
}

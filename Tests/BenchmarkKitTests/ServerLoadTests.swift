// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import TestEffort
import XCTest

@testable import BenchmarkKit

/// A server of the shortest kind, in Python, under loads that are one line of shell.
final class ServerLoadTests: XCTestCase {
  private let launcher = ProgramLauncher(path: Built.path(of: "benchmark-launcher"))

  private static let hasPython = Result {
    try ProgramLauncher(path: Built.path(of: "benchmark-launcher"))
      .run(Command("/usr/bin/env", ["python3", "-c", ""])).failure == nil
  }

  private func server(port: UInt16, _ more: String = "") throws -> Command {
    guard try Self.hasPython.get() else { throw XCTSkip("python3 is not installed") }
    let source = """
      import socket, sys, time
      s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      s.bind(("127.0.0.1", \(port))); s.listen()
      \(more)
      while True:
        c, _ = s.accept(); c.close()
      """
    return Command("/usr/bin/env", ["python3", "-c", source])
  }

  /// A port that was free a moment ago.
  private func freePort() -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length)
        getsockname(descriptor, $0, &length)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
  }

  func testScoreIsTakenAndTheServerIsStopped() throws {
    let port = freePort()
    let load = ServerLoad(
      port: port, shellCommand: "echo 'rate: 1,234.5 per second'",
      score: try NSRegularExpression(pattern: "rate: ([0-9.,]+)"))
    XCTAssertFalse(load.isAnswered)
    let run = try launcher.run(try server(port: port), load: load, watchesMemory: true)
    XCTAssertNil(run.failure)
    XCTAssertEqual(run.score, 1234.5)
    XCTAssertGreaterThan(run.peakResidentBytes, 1_000_000)
    XCTAssertFalse(load.isAnswered, "the server is gone")
  }

  func testFailuresAreTold() throws {
    let port = freePort()
    var load = ServerLoad(port: port, shellCommand: "echo nothing", score: try NSRegularExpression(pattern: "[0-9]+"))
    let healthy = try server(port: port)
    XCTAssertEqual(try launcher.run(healthy, load: load).failure, "no score in the output of the load")

    load.shellCommand = "echo oh dear >&2; exit 3"
    XCTAssertEqual(
      try launcher.run(healthy, load: load).failure, "the load failed: exited with status 3: oh dear")

    load.shellCommand = "sleep 30"
    let dying = try server(port: port, "c, _ = s.accept(); time.sleep(0.1); sys.exit(\"no more\")")
    load.timeoutSeconds = 2
    let died = try XCTUnwrap(try launcher.run(dying, load: load).failure)
    XCTAssert(died.hasPrefix("the server ended while the load ran: exited with status 1"), died)

    let early = try launcher.run(Command("/bin/sh", ["-c", "echo no port >&2; exit 7"]), load: load)
    XCTAssertEqual(early.failure, "the server ended before it answered on port \(port): exited with status 7: no port")

    load.patienceSeconds = 0.1
    let deaf = try launcher.run(Command("/bin/sh", ["-c", "sleep 1000"]), load: load)
    XCTAssertEqual(deaf.failure, "nothing answers on port \(port) after 0 s")
  }

  func testServerThatIgnoresTheSignalIsKilled() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let port = freePort()
    var load = ServerLoad(port: port, shellCommand: "true", score: nil)
    load.patienceSeconds = 1
    let stubborn = try server(port: port, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    let run = try launcher.run(stubborn, load: load)
    XCTAssertEqual(run.ending, .signaled(Int(SIGKILL)))
    XCTAssertNotNil(run.failure)
    XCTAssertFalse(load.isAnswered)
  }
}

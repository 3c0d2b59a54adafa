// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

@testable import AllocatorInsight

/// The socket, and who asks at it.
final class InsightSocketTests: XCTestCase {
  private var folder = ""

  override func setUp() {
    folder = "/tmp/insight-test-\(getpid())-\(Int.random(in: 0..<1_000_000))"
  }

  override func tearDown() {
    Insight.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func start() throws -> InsightClient {
    guard case .listening(let path) = Insight.start(folder: folder) else {
      throw XCTSkip("no socket can be made here")
    }
    XCTAssertEqual(path, "\(folder)/\(getpid()).sock")
    return InsightClient(path: path)
  }

  private func connection() throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let connected = InsightSocket.withAddress("\(folder)/\(getpid()).sock") { connect(descriptor, $0, $1) == 0 }
    XCTAssertTrue(connected)
    return descriptor
  }

  private func answer(to request: String) throws -> String {
    let descriptor = try connection()
    defer { close(descriptor) }
    _ = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
    shutdown(descriptor, Int32(SHUT_WR))
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { answer += buffer.prefix(count) }
    return String(decoding: answer, as: UTF8.self)
  }

  func testAnswers() throws {
    let client = try start()
    XCTAssertTrue(try client.ask("report text").contains("process"))
    XCTAssertTrue(try client.ask("report prometheus").hasPrefix("# HELP"))
    XCTAssertNoThrow(try JSONSerialization.jsonObject(with: Data(client.ask("report json").utf8)))
    XCTAssertEqual(try client.ask("report line").split(separator: "\n").count, 1)
    XCTAssertTrue(try client.ask("trim text").contains("given back"))
  }

  func testModes() throws {
    _ = try start()
    var status = stat()
    XCTAssertEqual(lstat(folder, &status), 0)
    XCTAssertEqual(status.st_mode & 0o777, 0o700)
    XCTAssertEqual(lstat("\(folder)/\(getpid()).sock", &status), 0)
    XCTAssertEqual(status.st_mode & 0o777, 0o600)
    Insight.stop()
    XCTAssertEqual(lstat("\(folder)/\(getpid()).sock", &status), -1, "removed when it ends")
  }

  func testSecondStartAnswersTheSame() throws {
    _ = try start()
    XCTAssertEqual(Insight.start(folder: "/elsewhere"), .listening(path: "\(folder)/\(getpid()).sock"))
  }

  func testStartsAnewAfterTheEnd() throws {
    _ = try start()
    Insight.stop()
    Insight.stop()
    XCTAssertTrue(try start().ask("report line").contains("memory"))
  }

  /// Whatever is sent: an error, or nothing, and the next one is answered.
  func testNonsense() throws {
    let client = try start()
    for request in [
      "\n", "\0\0\0\n", "report\n", "1 report\n", "1 report html\n", "1 quit now\n", "2 report json\n",
      "GET / HTTP/1.1\r\n",
      "1 report json extra\n", String(repeating: "x", count: 100_000), "1 report json", "\u{FFFD}\n",
    ] {
      let answer = try answer(to: request)
      XCTAssertTrue(answer.isEmpty || answer.hasPrefix("swift-allocators 1 error "), "\(request.prefix(40)): \(answer)")
    }
    XCTAssertTrue(try client.ask("report line").contains("memory"))
  }

  func testSilentClientsDoNotBlockOthers() throws {
    let client = try start()
    let silent = try (0..<50).map { _ in try connection() }
    defer { silent.forEach { close($0) } }
    for _ in 0..<5 { XCTAssertTrue(try client.ask("report line").contains("memory")) }
  }

  /// Who asks and goes without reading is no reason to end, by SIGPIPE or otherwise.
  func testClientsThatLeave() throws {
    let client = try start()
    for _ in 0..<100 {
      let descriptor = try connection()
      _ = send(descriptor, "1 report prometheus\n", 20, Int32(MSG_NOSIGNAL))
      close(descriptor)
    }
    XCTAssertTrue(try client.ask("report line").contains("memory"))
  }

  func testPathThatIsTooLong() {
    let long = "/tmp/" + String(repeating: "x", count: 120)
    guard case .notListening(let reason) = Insight.start(folder: long) else { return XCTFail("it listens") }
    XCTAssertTrue(reason.contains("longer"), reason)
    rmdir(long)
  }

  func testFolderThatIsNotAlone() throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    guard case .notListening(let reason) = Insight.start(folder: folder) else { return XCTFail("it listens") }
    XCTAssertTrue(reason.contains("alone"), reason)
  }

  func testFolderThatIsALink() throws {
    symlink("/tmp", folder)
    guard case .notListening(let reason) = Insight.start(folder: folder) else { return XCTFail("it listens") }
    XCTAssertTrue(reason.contains("alone"), reason)
    unlink(folder)
  }

  func testPathThatIsTaken() throws {
    mkdir(folder, 0o700)
    let path = "\(folder)/\(getpid()).sock"
    let other = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    XCTAssertTrue(InsightSocket.withAddress(path) { bind(other, $0, $1) == 0 })
    listen(other, 1)
    guard case .notListening(let reason) = Insight.start(folder: folder) else { return XCTFail("it listens") }
    XCTAssertTrue(reason.contains("taken"), reason)
    // Left behind by a process that was killed, it is nobody's.
    close(other)
    XCTAssertEqual(Insight.start(folder: folder), .listening(path: path))
  }

  /// What killed processes have left goes; what is answered, and what is no socket, stays.
  func testAbandonedSocketsAreRemoved() throws {
    mkdir(folder, 0o700)
    let (gone, answered, file) = ("\(folder)/999999991.sock", "\(folder)/999999992.sock", "\(folder)/999999993.sock")
    let listeners = [gone, answered].map { path in
      let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      XCTAssertTrue(InsightSocket.withAddress(path) { bind(listener, $0, $1) == 0 })
      listen(listener, 1)
      return listener
    }
    close(listeners[0])
    defer { close(listeners[1]) }
    try Data("precious".utf8).write(to: URL(fileURLWithPath: file))
    _ = try start()
    XCTAssertNotEqual(access(gone, F_OK), 0)
    XCTAssertEqual(access(answered, F_OK), 0)
    XCTAssertEqual(access(file, F_OK), 0)
  }

  func testFileThatIsNoSocketStays() throws {
    mkdir(folder, 0o700)
    let path = "\(folder)/\(getpid()).sock"
    try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
    guard case .notListening = Insight.start(folder: folder) else { return XCTFail("it listens") }
    XCTAssertEqual(try String(contentsOfFile: path, encoding: .utf8), "precious")
  }

  func testAnswersOfOtherVersions() throws {
    XCTAssertThrowsError(try InsightClient.body(of: Array("swift-allocators 2 ok 3\nabc".utf8))) {
      XCTAssertEqual($0 as? InsightClient.Failure, .otherVersion("version 2"))
    }
    XCTAssertThrowsError(try InsightClient.body(of: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)))
    XCTAssertThrowsError(try InsightClient.body(of: Array("swift-allocators 1 ok 30\nabc".utf8))) {
      XCTAssertEqual($0 as? InsightClient.Failure, .silent, "ended amid the answer")
    }
    XCTAssertThrowsError(try InsightClient.body(of: [])) { XCTAssertEqual($0 as? InsightClient.Failure, .refused) }
  }

  func testNoSocket() throws {
    XCTAssertThrowsError(try InsightClient(path: "\(folder)/1.sock").ask("report text")) {
      XCTAssertEqual($0 as? InsightClient.Failure, .noSocket)
    }
  }
}

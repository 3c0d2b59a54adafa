// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// Asks another process at its socket.
package struct InsightClient {
  /// Why there is no answer.
  package enum Failure: Error, Equatable {
    /// There is no socket: the process has not called `Insight.start()`.
    case noSocket
    /// The socket is another user's, and this one is not root.
    case refused
    /// The process does not answer: it is busy, or has ended meanwhile.
    case silent
    /// What answers is another version.
    case otherVersion(String)
    /// It says that it cannot.
    case error(String)
  }

  /// Seconds to wait, in all.
  private static let patience = 10.0

  private let path: String

  /// - Parameter folder: where the process has its socket, if not in its user's folder.
  package init(process: ProcessMemory, folder: String? = nil) {
    let folder = folder ?? InsightSocket.folder(ofUser: process.userID ?? Int(getuid()))
    // The process may be in a container: with another root, and another number.
    let own = process.ownProcessID ?? process.processID
    let isHere = own == process.processID
    path = (isHere ? "" : "/proc/\(process.processID)/root") + "\(folder)/\(InsightSocket.name(ofProcess: own))"
  }

  package init(path: String) { self.path = path }

  /// Returns the answer to a request: "report json".
  package func ask(_ request: String) throws(Failure) -> String {
    String(decoding: try askForBytes(request, patience: Self.patience), as: UTF8.self)
  }

  /// The same for an answer that is no text, and takes so many seconds at most.
  package func askForBytes(_ request: String, patience: Double) throws(Failure) -> [UInt8] {
    let deadline = monotonicSeconds() + patience
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
    guard descriptor >= 0 else { throw .silent }
    defer { close(descriptor) }
    while !InsightSocket.withAddress(path, { connect(descriptor, $0, $1) == 0 }) {
      switch errno {
      case ENOENT, ENOTDIR, ECONNREFUSED: throw .noSocket
      case EACCES, EPERM: throw .refused
      case EAGAIN where monotonicSeconds() < deadline: usleep(20_000)
      default: throw .silent
      }
    }
    let line = Array("\(InsightProtocol.version) \(request)\n".utf8)
    guard send(descriptor, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else { throw .refused }
    return try Self.bytes(of: receive(descriptor, deadline))
  }

  private func receive(_ descriptor: Int32, _ deadline: Double) throws(Failure) -> [UInt8] {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while answer.count < 1 << 28 {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let left = deadline - monotonicSeconds()
      guard left > 0 else { throw .silent }
      if poll(&waiting, 1, Int32(left * 1000) + 1) < 0 {
        // Who interrupts a command still wants what it has found out so far.
        if errno == EINTR { continue }
        throw .silent
      }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 { return answer }
      if count < 0 {
        if errno == EAGAIN || errno == EINTR { continue }
        throw .silent
      }
      answer += buffer.prefix(count)
    }
    return answer
  }

  static func body(of answer: [UInt8]) throws(Failure) -> String {
    String(decoding: try bytes(of: answer), as: UTF8.self)
  }

  private static func bytes(of answer: [UInt8]) throws(Failure) -> [UInt8] {
    // Closed without a word: this user is none of its.
    if answer.isEmpty { throw .refused }
    guard let end = answer.firstIndex(of: UInt8(ascii: "\n")) else { throw .silent }
    let words = String(decoding: answer[..<end], as: UTF8.self).split(separator: " ").map(String.init)
    guard words.count == 4, words[0] == InsightProtocol.name else { throw .otherVersion("something else") }
    guard words[1] == "\(InsightProtocol.version)" else { throw .otherVersion("version \(words[1])") }
    let body = answer[(end + 1)...]
    guard Int(words[3]) == body.count else { throw .silent }
    if words[2] != "ok" { throw .error(String(decoding: body, as: UTF8.self)) }
    return Array(body)
  }
}

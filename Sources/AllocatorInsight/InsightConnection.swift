// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A connection of somebody who asks. Nothing here waits: what is there is read, and what fits is written.
struct InsightConnection {
  let descriptor: Int32
  /// When it is closed, whatever has been said until then.
  private(set) var deadline: Double
  private var request: [UInt8] = []
  private var answer: [UInt8] = []
  private var sent = 0

  init(descriptor: Int32, deadline: Double) {
    self.descriptor = descriptor
    self.deadline = deadline
  }

  /// What to wait for.
  var events: Int16 { Int16(answer.isEmpty ? POLLIN : POLLOUT) }

  /// Goes on. Returns whether there is more to do.
  mutating func proceed() -> Bool {
    if answer.isEmpty {
      guard read() else { return false }
      guard let end = request.firstIndex(of: UInt8(ascii: "\n")) else {
        return request.count < InsightProtocol.longestRequest
      }
      let start = monotonicSeconds()
      answer = InsightProtocol.answer(to: request[..<end])
      // What it takes to make the answer is not the client's fault.
      deadline += monotonicSeconds() - start
    }
    return write()
  }

  private mutating func read() -> Bool {
    let room = InsightProtocol.longestRequest
    var buffer = [UInt8](repeating: 0, count: room)
    let count = recv(descriptor, &buffer, room, 0)
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    request += buffer.prefix(count)
    return count > 0
  }

  private mutating func write() -> Bool {
    while sent < answer.count {
      let count = answer.withUnsafeBytes {
        send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 { return errno == EAGAIN || errno == EINTR }
      sent += count
    }
    return false
  }
}

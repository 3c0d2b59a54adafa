// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A connection to a server of this machine, over which one request follows the other (RFC 9112).
struct Connection: ~Copyable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw Failure(description: "nothing answers on port \(port)") }
  }

  deinit { close(descriptor) }

  /// Sends a request, and waits for the whole answer, which has to be one with status 200.
  mutating func get(_ target: String) throws {
    let request = Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    guard write(descriptor, request, request.count) == request.count else { throw Failure(description: "cannot send") }
    var answer = ""
    while true {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &bytes, bytes.count)
      guard count > 0 else { throw Failure(description: "the server has closed the connection") }
      answer += String(decoding: bytes.prefix(count), as: UTF8.self)
      guard let end = answer.firstRange(of: "\r\n\r\n") else { continue }
      let lines = answer[..<end.lowerBound].lowercased().split(separator: "\r\n")
      let length = lines.first { $0.hasPrefix("content-length:") }.flatMap { Int($0.split(separator: " ").last ?? "") }
      guard lines.first?.contains(" 200") == true, let length else {
        throw Failure(description: "unexpected: \(answer)")
      }
      if answer[end.upperBound...].utf8.count >= length { return }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Glibc

/// A unix socket at which a process answers who asks about its memory: where it is, and how it is made.
package struct InsightSocket {
  /// Why there is none, in words.
  package struct Failure: Error {
    package var reason: String
  }

  let descriptor: Int32
  package let path: String

  /// The folder of a user's sockets, which is that user's alone.
  package static func folder(ofUser user: Int) -> String { "/tmp/swift-allocators-\(user)" }

  /// The name of a process's socket in it.
  package static func name(ofProcess process: Int) -> String { "\(process).sock" }

  /// Bytes of the longest path that the system takes, the zero at its end included (unix(7)).
  private static let longestPath = 108

  /// Makes the socket of this process, with mode 0600, in a folder of mode 0700.
  package init(folder: String?) throws(Failure) {
    let folder = folder ?? Self.folder(ofUser: Int(geteuid()))
    try Self.makeFolder(folder)
    Self.removeAbandoned(in: folder)
    path = "\(folder)/\(Self.name(ofProcess: Int(getpid())))"
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Self.closeOnExec | Self.nonBlocking, 0)
    guard descriptor >= 0 else { throw Failure(reason: "no socket: \(Self.errorText)") }
    do {
      try bind()
    } catch {
      close(descriptor)
      throw error
    }
  }

  private static let closeOnExec = O_CLOEXEC
  private static let nonBlocking = O_NONBLOCK

  package static var errorText: String { String(cString: strerror(errno)) }

  private static func makeFolder(_ folder: String) throws(Failure) {
    if mkdir(folder, 0o700) == 0 { return }
    guard errno == EEXIST else { throw Failure(reason: "the folder \(folder) cannot be made: \(errorText)") }
    var status = stat()
    guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & 0o077 == 0
    else {
      throw Failure(reason: "the folder \(folder) is there already, and not this user's alone")
    }
  }

  /// Removes what processes that were killed have left behind, a few hundred at most.
  private static func removeAbandoned(in folder: String) {
    guard let directory = opendir(folder) else { return }
    defer { closedir(directory) }
    for _ in 0..<512 {
      guard let entry = readdir(directory) else { return }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasSuffix(".sock"), let process = pid_t(name.dropLast(5)), process > 0 else { continue }
      // In another container that shares the folder the process may well be there: then somebody answers.
      if kill(process, 0) != 0 && errno == ESRCH, isAbandoned("\(folder)/\(name)") { unlink("\(folder)/\(name)") }
    }
  }

  private func bind() throws(Failure) {
    guard path.utf8.count < Self.longestPath else {
      throw Failure(reason: "the path \(path) is longer than a socket's may be (\(Self.longestPath - 1) bytes)")
    }
    if !Self.withAddress(path, { Glibc.bind(descriptor, $0, $1) == 0 }) {
      guard errno == EADDRINUSE else { throw Failure(reason: "\(path): \(Self.errorText)") }
      // Left behind by a process of this number that was killed? Then nobody answers.
      guard Self.isAbandoned(path) else { throw Failure(reason: "\(path) is taken") }
      unlink(path)
      guard Self.withAddress(path, { Glibc.bind(descriptor, $0, $1) == 0 }) else {
        throw Failure(reason: "\(path): \(Self.errorText)")
      }
    }
    guard chmod(path, 0o600) == 0, listen(descriptor, 16) == 0 else {
      throw Failure(reason: "\(path): \(Self.errorText)")
    }
  }

  private static func isAbandoned(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec | nonBlocking, 0)
    guard probe >= 0 else { return false }
    defer { close(probe) }
    return !withAddress(path) { connect(probe, $0, $1) == 0 } && errno == ECONNREFUSED
  }

  /// Calls `body` with the address of the socket at `path`, which fits.
  package static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(longestPath - 1)) + [0]) }
    return withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}

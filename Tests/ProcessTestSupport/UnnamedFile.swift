// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A file for a program to write to. It has no name, so that nothing is left of it whatever becomes of this process.
final class UnnamedFile {
  let descriptor: Int32

  init() throws {
    var path = Array("\(FileManager.default.temporaryDirectory.path)/command.XXXXXX".utf8CString)
    // Nobody else's program is to inherit it; there is no mkostemp in Glibc's module.
    descriptor = Spawn.lock.withLock {
      let descriptor = mkstemp(&path)
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      return descriptor
    }
    guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    unlink(path)
  }

  deinit { close(descriptor) }

  /// All that has been written to it.
  var contents: String {
    get throws {
      let count = Int(lseek(descriptor, 0, SEEK_END))
      var bytes = [UInt8](repeating: 0, count: count)
      var done = 0
      while done < count {
        let more = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, count - done, off_t(done)) }
        if more < 0, errno == EINTR { continue }
        guard more > 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        done += more
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A file without a name for a program to write to: unlike a pipe it never makes the writer wait.
final class UnnamedFile {
  let descriptor: Int32

  init() throws(SystemError) {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var path = Array("\(folder)/benchmark.XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw SystemError(doing: "create a file in \(folder)") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(path)
  }

  deinit {
    close(descriptor)
  }

  /// All that was written so far, as UTF-8.
  var contents: String {
    let count = Int(lseek(descriptor, 0, SEEK_END))
    guard count > 0 else { return "" }
    return String(unsafeUninitializedCapacity: count) { buffer in
      max(0, pread(descriptor, buffer.baseAddress, count, 0))
    }
  }
}

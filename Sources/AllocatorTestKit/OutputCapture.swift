// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// What is written to standard output and standard error while something runs.
enum OutputCapture {
  /// Runs `body`, and returns what the process wrote to file descriptors 1 and 2 in the meantime (other threads
  /// included), after passing it on to where it was going. Nil where no temporary file can be had.
  static func text(during body: () throws -> Void) rethrows -> String? {
    fflush(nil)
    guard let stream = tmpfile() else {
      try body()
      return nil
    }
    let file = fileno(stream)
    let saved = [dup(1), dup(2)]
    defer {
      for descriptor in saved where descriptor >= 0 { close(descriptor) }
      fclose(stream)
    }
    guard saved.allSatisfy({ $0 >= 0 }), dup2(file, 1) >= 0, dup2(file, 2) >= 0 else {
      try body()
      return nil
    }
    func restore() {
      fflush(nil)
      dup2(saved[0], 1)
      dup2(saved[1], 2)
    }
    do { try body() } catch {
      restore()
      throw error
    }
    restore()
    let length = lseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: max(0, length))
    let count = pread(file, &bytes, bytes.count, 0)
    guard count > 0 else { return "" }
    write(2, bytes, count)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}

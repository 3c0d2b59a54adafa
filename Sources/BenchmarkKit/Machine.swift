// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// What a benchmark ran on: numbers without it mean little.
public struct Machine: Sendable, Codable {
  /// The processor's name as the kernel gives it.
  public var processor: String

  /// Processors that this process may use.
  public var processorCount: Int

  /// Bytes of memory.
  public var memoryBytes: Int

  /// The kernel's release.
  public var kernel: String

  /// The C library and its version, such as "glibc 2.36".
  public var libc: String

  /// The machine that this process runs on.
  public static var current: Machine {
    var names = utsname()
    uname(&names)
    let kernel = withUnsafeBytes(of: &names.release) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Machine(
      processor: processorName ?? "unknown", processorCount: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
      memoryBytes: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), kernel: kernel,
      libc: libcVersion)
  }

  /// The machine in one line.
  public var description: String {
    "\(processor), \(processorCount) processors, \(memoryBytes >> 30) GiB, Linux \(kernel), \(libc)"
  }

  /// The C library and its version, "glibc 2.36": confstr(3).
  public static var libcVersion: String {
    var text = [CChar](repeating: 0, count: 64)
    confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static var processorName: String? {
    guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) >= 0, let text = line.map({ String(cString: $0) }) {
      if text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") {
        return String(text[text.index(colon, offsetBy: 2)...].dropLast())
      }
    }
    return nil
  }
}

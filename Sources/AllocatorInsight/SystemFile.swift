// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A small file of the kernel's, read whole: `/proc` and the control groups make their text anew at each read from the start.
struct SystemFile {
  let bytes: [UInt8]

  /// Reads up to `limit` bytes. Nil where there is no such file, or it may not be read.
  init?(_ path: String, limit: Int = 8 << 10) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var failed = false
    bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      while count < limit {
        let got = Glibc.read(descriptor, buffer.baseAddress! + count, limit - count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failed = count == 0 }
        if got <= 0 { return }
        count += got
      }
    }
    if failed { return nil }
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The only number in the file; nil for "max", and for anything else.
  var number: Int? { Self.number(in: bytes[...]) }

  /// Calls `body` with each line's first word, a colon at its end left off, and the number behind it, if there is one.
  func forEachNumber(_ body: (_ name: ArraySlice<UInt8>, _ value: Int?) -> Void) {
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = bytes[start..<end]
      start = end + 1
      guard let space = line.firstIndex(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) else {
        continue
      }
      var name = line[..<space]
      if name.last == UInt8(ascii: ":") { name.removeLast() }
      body(name, Self.number(in: line[space...]))
    }
  }

  /// The number of the line that begins with `name`.
  func number(named name: StaticString) -> Int? {
    var found: Int?
    forEachNumber { if found == nil && $0.elementsEqual(name) { found = $1 } }
    return found
  }

  /// The first decimal number, spaces before it left out; nil where something else comes first, or it does not fit.
  private static func number(in text: ArraySlice<UInt8>) -> Int? {
    let digits = text.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    var value = 0
    var count = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      if overflow || carry { return nil }
      value = sum
      count += 1
    }
    return count == 0 ? nil : value
  }
}

extension ArraySlice<UInt8> {
  func elementsEqual(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: count))
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Writes messages of Protocol Buffers (their "Encoding" document): as much of it as a profile needs.
struct ProtocolBufferWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func write(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// A number; 0 is what a field has that is not there.
  mutating func write(_ field: Int, _ number: Int) {
    guard number != 0 else { return }
    write(UInt64(field << 3))
    write(UInt64(bitPattern: Int64(number)))
  }

  mutating func write(_ field: Int, bytes content: some Collection<UInt8>) {
    write(UInt64(field << 3 | 2))
    write(UInt64(content.count))
    bytes += content
  }

  /// Several numbers of one field.
  mutating func write(_ field: Int, _ numbers: [Int]) {
    var packed = Self()
    for number in numbers { packed.write(UInt64(bitPattern: Int64(number))) }
    write(field, bytes: packed.bytes)
  }

  mutating func write(_ field: Int, _ message: (inout Self) -> Void) {
    var inner = Self()
    message(&inner)
    write(field, bytes: inner.bytes)
  }
}

/// Reads such messages, which may be anything.
struct ProtocolBufferReader {
  enum Value {
    case number(Int)
    case bytes(ArraySlice<UInt8>)
  }

  struct Malformed: Error {}

  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The next field; nil at the end.
  mutating func next() throws(Malformed) -> (field: Int, value: Value)? {
    guard !rest.isEmpty else { return nil }
    let tag = try number()
    let field = Int(truncatingIfNeeded: tag >> 3)
    switch tag & 7 {
    case 0: return (field, .number(Int(truncatingIfNeeded: try number())))
    case 1: return (field, .bytes(try take(8)))
    case 2:
      let count = try number()
      guard count <= UInt64(rest.count) else { throw Malformed() }
      return (field, .bytes(try take(Int(count))))
    case 5: return (field, .bytes(try take(4)))
    default: throw Malformed()
    }
  }

  /// All numbers of a field that has one, or several of them packed.
  static func numbers(_ value: Value) throws(Malformed) -> [Int] {
    switch value {
    case .number(let number): return [number]
    case .bytes(let bytes):
      var reader = Self(bytes)
      var numbers: [Int] = []
      while !reader.rest.isEmpty { numbers.append(Int(truncatingIfNeeded: try reader.number())) }
      return numbers
    }
  }

  private mutating func number() throws(Malformed) -> UInt64 {
    var number: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = rest.popFirst() {
      number |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return number }
      shift += 7
      guard shift < 64 else { break }
    }
    throw Malformed()
  }

  private mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
    guard rest.count >= count else { throw Malformed() }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}

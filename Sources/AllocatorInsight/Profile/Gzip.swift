// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Files of gzip (RFC 1952) whose blocks are stored and not compressed (RFC 1951, 3.2.4): every reader takes them, and nothing
/// has to be linked.
package enum Gzip {
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    // Magic, deflate, no flags, no time, no extra flags, unknown system.
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    file.reserveCapacity(bytes.count + bytes.count / 65_535 * 5 + 32)
    var start = 0
    repeat {
      let count = min(bytes.count - start, 65_535)
      file.append(start + count == bytes.count ? 1 : 0)
      file += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8 & 255)]
      file += bytes[start..<start + count]
      start += count
    } while start < bytes.count
    for number in [checksum(bytes[...]), UInt32(truncatingIfNeeded: bytes.count)] {
      for shift in stride(from: 0, to: 32, by: 8) { file.append(UInt8(number >> UInt32(shift) & 255)) }
    }
    return file
  }

  /// What is in such a file. Nil for one that is compressed, or broken.
  static func contents(ofStored file: [UInt8]) -> [UInt8]? {
    guard file.count >= 18, file[0] == 0x1f, file[1] == 0x8b, file[2] == 8, file[3] == 0 else { return nil }
    var bytes: [UInt8] = []
    var place = 10
    while place + 5 <= file.count {
      let head = file[place]
      let count = Int(file[place + 1]) | Int(file[place + 2]) << 8
      let check = Int(file[place + 3]) | Int(file[place + 4]) << 8
      guard head <= 1, count ^ check == 65_535, place + 5 + count <= file.count else { return nil }
      bytes += file[place + 5..<place + 5 + count]
      place += 5 + count
      if head == 1 {
        guard place + 8 == file.count else { return nil }
        let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(file[place + $1]) << UInt32(8 * $1) }
        return sum == checksum(bytes[...]) ? bytes : nil
      }
    }
    return nil
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
  }

  /// The CRC of RFC 1952, 8.
  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 255)] ^ $0 >> 8 }
  }
}

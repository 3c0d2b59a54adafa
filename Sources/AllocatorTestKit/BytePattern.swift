// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc
import KitSupport

/// Contents for blocks: for each tag another sequence of bytes that are never zero, and that differ at every distance
/// shorter than a period, so that bytes which come from elsewhere, or from another place in the block, are seen.
///
/// Copied from and compared with one table, which lies in a mapping of its own: the kit's table and the blocks under
/// test cannot be mistaken for each other, and neither copying nor comparing is slow in a debug build.
enum BytePattern {
  private static let period = 65_521

  /// Twice the period, so that a sequence may start anywhere in the first half and run for a period.
  private static let table: UInt = {
    let length = 2 * period
    guard let pages = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      pages != MAP_FAILED
    else {
      fatalError("AllocatorTestKit: mmap of \(length) bytes failed: errno \(errno)")
    }
    var random = SplitMix64(seed: 0x5EED)
    for index in 0..<period {
      let byte = UInt8(truncatingIfNeeded: random.next() % 255 + 1)
      pages.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      pages.storeBytes(of: byte, toByteOffset: index + period, as: UInt8.self)
    }
    return UInt(bitPattern: pages)
  }()

  /// The sequence of `tag` from its byte number `offset` on; a period of it can be read there.
  private static func sequence(_ tag: Int, from offset: Int) -> UnsafeRawPointer {
    // Safety: the table is mapped for the life of the process and never written again.
    UnsafeRawPointer(bitPattern: table)! + (tag % period * 8_191 + offset) % period
  }

  /// Writes the first `count` bytes of the sequence of `tag`.
  static func fill(_ pointer: UnsafeMutableRawPointer, count: Int, tag: Int) {
    var done = 0
    while done < count {
      let length = min(period, count - done)
      (pointer + done).copyMemory(from: sequence(tag, from: done), byteCount: length)
      done += length
    }
  }

  /// The number of the first byte that is not as `fill` wrote it; nil where all are.
  static func firstDifference(_ pointer: UnsafeRawPointer, count: Int, tag: Int) -> Int? {
    var done = 0
    while done < count {
      let length = min(period, count - done)
      let expected = sequence(tag, from: done)
      if memcmp(pointer + done, expected, length) != 0 {
        for index in 0..<length
        where pointer.load(fromByteOffset: done + index, as: UInt8.self)
          != expected.load(fromByteOffset: index, as: UInt8.self)
        {
          return done + index
        }
      }
      done += length
    }
    return nil
  }

  /// The number of the first byte that is not zero; nil where all are.
  static func firstNonzero(_ pointer: UnsafeRawPointer, count: Int) -> Int? {
    guard count > 0 else { return nil }
    if pointer.load(as: UInt8.self) != 0 { return 0 }
    // All are equal to their successor, and the first is zero.
    if memcmp(pointer, pointer + 1, count - 1) == 0 { return nil }
    return (0..<count).first { pointer.load(fromByteOffset: $0, as: UInt8.self) != 0 }
  }
}

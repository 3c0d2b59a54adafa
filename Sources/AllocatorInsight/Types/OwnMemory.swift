// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// Memory of this process that may not be there: the kernel reads it, and refuses instead of ending the process. A read costs a
/// system call, some 0.3 µs.
enum OwnMemory {
  /// Nil where that is not readable.
  static func load<Value: BitwiseCopyable>(_ address: UInt, as type: Value.Type) -> Value? {
    withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer in
      guard insight_read_memory(address, buffer.baseAddress!, MemoryLayout<Value>.size) != 0 else { return nil }
      return buffer[0]
    }
  }

  static func word(_ address: UInt) -> UInt? { load(address, as: UInt.self) }

  /// What a pointer at `address` leads to that is stored as the distance to it; nil where it is not readable, or leads nowhere.
  static func relativePointer(_ address: UInt) -> UInt? {
    guard let offset = load(address, as: Int32.self), offset != 0 else { return nil }
    return address &+ UInt(bitPattern: Int(offset))
  }

  /// The text at `address`, which ends with a zero within `limit` bytes; nil where it does not, or is not readable.
  static func text(_ address: UInt, limit: Int = 256) -> String? {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      // Never across a border of pages, behind which there may be nothing.
      let count = min(32, 4096 - Int(bitPattern: (address &+ UInt(bytes.count)) % 4096))
      var part = [UInt8](repeating: 0, count: count)
      guard insight_read_memory(address &+ UInt(bytes.count), &part, count) != 0 else { return nil }
      if let end = part.firstIndex(of: 0) { return String(decoding: bytes + part[..<end], as: UTF8.self) }
      bytes += part
    }
    return nil
  }
}

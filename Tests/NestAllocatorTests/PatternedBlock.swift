// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import KitSupport
import NestAllocator
import XCTest

/// A block filled with a pattern of its own, which is checked when the block is released.
struct PatternedBlock: @unchecked Sendable {
  var pointer: UnsafeMutableRawPointer
  var size: Int
  var align: Int

  /// Nil when memory is exhausted.
  init?(size: Int, align: Int = 16, zeroed: Bool = false) {
    let block =
      zeroed ? NestAllocator.allocateZeroed(size: size, align: align) : NestAllocator.allocate(size: size, align: align)
    guard let block else { return nil }
    precondition(UInt(bitPattern: block) & UInt(align - 1) == 0, "\(block) is not aligned to \(align)")
    precondition(NestAllocator.usableSize(of: block) >= size)
    (pointer, self.size, self.align) = (block, size, align)
    if zeroed { check(size, byte: 0) }
    fill()
  }

  var pattern: UInt8 { UInt8(truncatingIfNeeded: UInt(bitPattern: pointer) >> 4 ^ UInt(size)) | 1 }

  func fill() { memset(pointer, Int32(pattern), size) }

  /// Whether the first `count` bytes are all `byte`.
  func check(_ count: Int, byte: UInt8) {
    let same = matching_bytes(pointer, count, byte)
    precondition(same == count, "byte \(same) of a block of \(count) at \(pointer) has changed")
  }

  /// Checks the pattern and releases.
  func release() {
    check(size, byte: pattern)
    NestAllocator.deallocate(pointer, oldSize: size, align: align)
  }

  /// Resizes, checks what is to be kept, and fills anew.
  mutating func resize(to newSize: Int) {
    let byte = pattern
    guard
      let moved = NestAllocator.reallocate(pointer, oldSize: size, size: newSize, align: align)
    else { return }
    pointer = moved
    check(min(size, newSize), byte: byte)
    size = newSize
    fill()
  }
}

extension SplitMix64 {
  /// Sizes as programs ask for them: mostly small, some of every kind.
  mutating func size() -> Int {
    switch Int.random(in: 0..<1000, using: &self) {
    case 0..<800: Int.random(in: 0...512, using: &self)
    case 800..<950: Int.random(in: 0...16 << 10, using: &self)
    case 950..<997: Int.random(in: 0...256 << 10, using: &self)
    default: Int.random(in: 0...4 << 20, using: &self)
    }
  }
}

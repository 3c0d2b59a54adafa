// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A live block of the allocator under test, as the kit knows it.
struct TestBlock {
  /// The block.
  var pointer: UnsafeMutableRawPointer
  /// Bytes, as asked for when it was last allocated or resized.
  var size: Int
  /// Bytes, as asked for when it was allocated.
  let align: Int
  /// Bytes that may be written, as the allocator says: the largest valid `oldSize`.
  var usable: Int
  /// The ``BytePattern`` that the block was filled with last.
  var tag: Int
  /// How many bytes of that are in it.
  var filled = 0

  /// What a message calls it.
  var name: String { "block \(pointer) (size \(size), align \(align), usable size \(usable))" }

  /// By address. By the C library: most of the time of a debug build would else go into the standard library's, which is generic.
  static func sorted(_ blocks: [TestBlock]) -> [TestBlock] {
    var blocks = blocks
    if blocks.isEmpty { return [] }
    blocks.withUnsafeMutableBytes { bytes in
      qsort(bytes.baseAddress!, bytes.count / MemoryLayout<TestBlock>.stride, MemoryLayout<TestBlock>.stride) {
        // Safety: qsort hands out addresses of elements, and `pointer` is what an element begins with.
        let (first, second) = ($0!.load(as: UInt.self), $1!.load(as: UInt.self))
        return first < second ? -1 : first > second ? 1 : 0
      }
    }
    return blocks
  }
}

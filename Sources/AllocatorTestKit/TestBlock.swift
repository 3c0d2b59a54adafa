// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

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
}

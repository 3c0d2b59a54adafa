// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

// What is said of a block whose bytes, or size, are not what they should be: how large it is, and where.

@usableFromInline
enum BlockMisuse {
  @usableFromInline @inline(never) @_noLocks
  static func dieOfOverflow(_ block: UnsafeMutableRawPointer, _ blockSize: Int) -> Never {
    die("the bytes behind a block have been overwritten (overflow)", block, "in a size class of", blockSize, "", -1)
  }

  /// The first byte that is not zero says where it was written to.
  @usableFromInline @inline(never) @_noLocks
  static func dieOfWrittenBytes(_ block: UnsafeMutableRawPointer, _ blockSize: Int) -> Never {
    var offset = 16
    while offset < blockSize - 1, (block + offset).load(as: UInt8.self) == 0 { offset += 1 }
    die(
      "a free block has been written to (use after free, or an overflow of the block before)", block,
      "in a size class of", blockSize, "first changed byte", offset)
  }

  @usableFromInline @inline(never) @_noLocks
  static func dieOfSize(_ block: UnsafeMutableRawPointer, _ size: Int, said: Int) -> Never {
    die("a block is released or resized with a size that it does not have", block, "it has", size, "said was", said)
  }

  @usableFromInline @inline(never) @_noLocks
  static func dieOfLargeOverflow(_ block: UnsafeMutableRawPointer, _ size: Int) -> Never {
    die("the bytes behind a block have been overwritten (overflow)", block, "size", size, "", -1)
  }

  @usableFromInline @inline(never) @_noLocks
  static func dieOfLargeUnderflow(_ block: UnsafeMutableRawPointer, _ size: Int) -> Never {
    die("the bytes in front of a block have been overwritten (underflow)", block, "size", size, "", -1)
  }

  @_noLocks
  private static func die(
    _ cause: StaticString, _ block: UnsafeMutableRawPointer, _ first: StaticString, _ firstNumber: Int,
    _ second: StaticString, _ secondNumber: Int
  ) -> Never {
    nest_die_of_block(
      cause.utf8Text, UInt(bitPattern: block), first.utf8Text, firstNumber, second.utf8Text, secondNumber)
  }
}

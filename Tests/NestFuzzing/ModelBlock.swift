// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import Glibc
import NestAllocator

/// What the model knows of a live block. All bytes that it can be used for hold a pattern of its own.
struct ModelBlock {
  let pointer: UnsafeMutableRawPointer
  /// Bytes that were asked for last.
  var size: Int
  let align: Int
  /// Bytes that the allocator says it holds.
  let usable: Int
  /// What distinguishes its pattern.
  private let seed: UInt64

  /// Checks what the allocator says of a block that has just been allocated or resized, and fills it.
  init(_ pointer: UnsafeMutableRawPointer, size: Int, align: Int, seed: UInt64) {
    (self.pointer, self.size, self.align, self.seed) = (pointer, size, align, seed)
    require(UInt(bitPattern: pointer) & UInt(align - 1) == 0, "\(pointer) is not aligned to \(align)")
    usable = NestAllocator.usableSize(of: pointer)
    require(usable >= size, "usableSize(of: \(pointer)) is \(usable), of \(size)")
    // Safety: the allocator says that all of them may be written; if it lies, a neighbor's check tells.
    fill_pattern(pointer, usable, seed)
  }

  var end: UnsafeMutableRawPointer { pointer + usable }

  /// Dies unless the first `count` bytes are as they were filled, now at `moved`.
  func checkContents(_ count: Int, at moved: UnsafeMutableRawPointer? = nil, after call: String) {
    let offset = matching_pattern(moved ?? pointer, count, seed)
    require(offset == count, "\(call): of \(count) bytes of \(self), what is at \(offset) has changed")
  }
}

/// Ends the process with a message unless `condition` holds: in release builds too.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  guard !condition else { return }
  let line = "fuzzing: \(message())\n"
  _ = write(STDERR_FILENO, line, line.utf8.count)
  abort()
}

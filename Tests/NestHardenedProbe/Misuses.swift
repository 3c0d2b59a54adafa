// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Glibc
import NestAllocator

/// Programs that misuse an allocator, each in a way that one check finds. Those that run through return whether the allocator did
/// what an attacker would like it to do.
enum Misuses<Allocator: MallocABI> {
  static func block(_ size: Int) -> UnsafeMutableRawPointer {
    guard let block = Allocator.allocate(size: size, align: 16) else { fatalError("memory is exhausted") }
    return block
  }

  /// A byte behind what was asked for; in the size class there is room for it.
  static func overflow(_ size: Int) {
    let block = block(size)
    block.storeBytes(of: 0x41, toByteOffset: size, as: UInt8.self)
    Allocator.deallocate(block)
  }

  /// A byte in front of a block of whole pages, of which some lie behind pages that nobody has used.
  static func underflow(_ size: Int) {
    let blocks = (0..<20).map { _ in block(size) }
    for block in blocks {
      (block - 1).storeBytes(of: 0x41, as: UInt8.self)
      Allocator.deallocate(block)
    }
  }

  static func wrongSize(_ size: Int, _ said: Int) {
    Allocator.deallocate(block(size), oldSize: said, align: 16)
  }

  /// Behind the link and the signature of a free block.
  static func writeAfterRelease(_ size: Int) {
    let block = block(size)
    Allocator.deallocate(block)
    block.storeBytes(of: 0x41, toByteOffset: size / 2, as: UInt8.self)
    // It comes back at some time, as one of these, or stays behind others until the process ends.
    for _ in 0..<200 {
      let blocks = (0..<400).map { _ in Self.block(size) }
      for block in blocks { Allocator.deallocate(block) }
    }
  }

  /// The block is behind many others by then, beside some that are in use, and nobody allocates before the process ends.
  static func writeBeforeTheEnd(_ size: Int) {
    let blocks = (0..<4000).map { _ in block(size) }
    for index in 0..<2000 { Allocator.deallocate(blocks[2 * index]) }
    blocks[0].storeBytes(of: 0x41, toByteOffset: size / 2, as: UInt8.self)
  }

  /// Whether the block that was released last is the next one.
  static func reuse(_ size: Int) -> Bool {
    for _ in 0..<100 {
      let block = block(size)
      Allocator.deallocate(block)
      let next = Self.block(size)
      if next == block { return true }
      Allocator.deallocate(next)
    }
    return false
  }

  /// Whether each of many new blocks begins where the one before ends.
  static func neighbors(_ size: Int) -> Bool {
    let (blocks, stride) = ((0..<64).map { _ in block(size) }, (size + 8 + 15) & -16)
    return zip(blocks, blocks.dropFirst()).count { $0 + stride == $1 } > 32
  }

  static func farOverflow(_ size: Int) {
    let block = block(size)
    let behind = (size + 4095) & -4096
    block.storeBytes(of: 0x41, toByteOffset: behind + 8, as: UInt8.self)
  }

  static func readAfterRelease(_ size: Int) -> Bool {
    let block = block(size)
    block.storeBytes(of: 0x41, toByteOffset: size / 2, as: UInt8.self)
    Allocator.deallocate(block)
    return block.load(fromByteOffset: size / 2, as: UInt8.self) == 0x41
  }

  /// What was left in a block that is released is nothing for who gets it next.
  static func leftovers(_ size: Int) -> Bool {
    for _ in 0..<1000 {
      let block = block(size)
      if memchr(block, 0x41, size) != nil { return true }
      memset(block, 0x41, size)
      Allocator.deallocate(block)
    }
    return false
  }

  /// Waits, longer where somebody is to find what has been done, and ends without a last look.
  private static func sleep(_ isFound: Bool) -> Never {
    for _ in 0..<(isFound ? 600 : 6) { usleep(100_000) }
    print("missed")
    fflush(nil)
    _exit(0)
  }

  static func overflowAndSleep(_ size: Int, _ isFound: Bool) {
    let blocks = (0..<100).map { _ in block(size) }
    blocks[50].storeBytes(of: 0x41, toByteOffset: size, as: UInt8.self)
    sleep(isFound)
  }

  static func writeAndSleep(_ size: Int, at offset: Int, _ isFound: Bool) {
    let blocks = (0..<100).map { _ in block(size) }
    // Not all: a span without a live block would be given away.
    for index in 0..<50 { Allocator.deallocate(blocks[2 * index]) }
    // Whatever is there, it changes.
    let byte = blocks[50].load(fromByteOffset: offset, as: UInt8.self)
    blocks[50].storeBytes(of: byte ^ 0x41, toByteOffset: offset, as: UInt8.self)
    sleep(isFound)
  }

  /// Returns whether it had its way, nil for a name that is none.
  static func run(_ name: String, _ size: Int) -> Bool? {
    switch name {
    case "overflow": overflow(size)
    case "underflow": underflow(size)
    case "wrong-size": wrongSize(size, size - 1)
    case "wrong-class": wrongSize(size, size * 2)
    case "write-after-release": writeAfterRelease(size)
    case "write-before-the-end": writeBeforeTheEnd(size)
    case "reuse": return reuse(size)
    case "neighbors": return neighbors(size)
    case "far-overflow": farOverflow(size)
    case "read-after-release": return readAfterRelease(size)
    case "leftovers": return leftovers(size)
    case "overflow-asleep", "overflow-awhile": overflowAndSleep(size, name.hasSuffix("asleep"))
    case "write-asleep", "write-awhile": writeAndSleep(size, at: size / 2, name.hasSuffix("asleep"))
    // A byte that no address has.
    case "write-signature-asleep", "write-signature-awhile": writeAndSleep(size, at: 14, name.hasSuffix("asleep"))
    case "nothing": break
    default: return nil
    }
    return true
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestTestSupport
import Foundation
import KitSupport
import NestAllocator
import TestEffort

/// Threads that come and go fill blocks of all sizes with patterns, resize them, hand them to each other, and check them.
enum Stress<Allocator: MallocABI & MemoryReleasing & SendableMetatype> {
  struct Block {
    var pointer: UnsafeMutableRawPointer
    var size: Int
    var align: Int
    var seed: UInt64

    func check(_ count: Int, _ what: String) {
      guard matching_pattern(pointer, count, seed) == count else { fatalError("\(what): \(self) has other bytes") }
    }
  }

  final class Slots: @unchecked Sendable {
    private let lock = NSLock()
    private var blocks = [Block?](repeating: nil, count: 400)

    func swap(_ index: Int, _ block: Block?) -> Block? {
      lock.lock()
      defer { lock.unlock() }
      let old = blocks[index]
      blocks[index] = block
      return old
    }
  }

  static func size(_ random: inout SplitMix64) -> Int {
    let power =
      Int.random(in: 0..<100, using: &random) == 0 ? 22 : Int.random(in: 0..<20, using: &random) == 0 ? 17 : 12
    return Int.random(in: 0..<(1 << Int.random(in: 1...power, using: &random)), using: &random)
  }

  static func work(_ slots: Slots, _ seed: UInt64, _ operations: Int) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<operations {
      let size = size(&random)
      let align = Int.random(in: 0..<8, using: &random) == 0 ? 1 << Int.random(in: 4...13, using: &random) : 16
      let isZeroed = Bool.random(using: &random)
      guard
        let pointer = isZeroed
          ? Allocator.allocateZeroed(size: size, align: align) : Allocator.allocate(size: size, align: align)
      else { fatalError("memory is exhausted") }
      if isZeroed, matching_zeros(pointer, size) != size { fatalError("\(size) bytes are not all zeros") }
      guard Allocator.usableSize(of: pointer) == size else { fatalError("the usable size of \(size) is another one") }
      var block = Block(pointer: pointer, size: size, align: align, seed: random.next())
      fill_pattern(block.pointer, size, block.seed)
      if Int.random(in: 0..<4, using: &random) == 0 {
        let newSize = Self.size(&random)
        guard
          let moved = Allocator.reallocate(block.pointer, oldSize: block.size, size: newSize, align: block.align)
        else { fatalError("memory is exhausted") }
        block.pointer = moved
        block.check(min(size, newSize), "resized to \(newSize)")
        block.size = newSize
        fill_pattern(moved, newSize, block.seed)
      }
      if let old = slots.swap(Int.random(in: 0..<400, using: &random), block) {
        release(old, Bool.random(using: &random))
      }
      if Int.random(in: 0..<2000, using: &random) == 0 { Allocator.releaseFreeMemory() }
      if Int.random(in: 0..<100, using: &random) == 0 { _ = NestAllocator.statistics }
    }
  }

  static func release(_ block: Block, _ isSized: Bool) {
    block.check(block.size, "released")
    if isSized {
      Allocator.deallocate(block.pointer, oldSize: block.size, align: block.align)
    } else {
      Allocator.deallocate(block.pointer)
    }
  }

  static func run() {
    let seed =
      ProcessInfo.processInfo.environment["ALLOCATOR_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: .min ... .max)
    print("seed \(seed)")
    let slots = Slots()
    // As the helper does, but without a pause.
    let looker = Thread {
      while !Thread.current.isCancelled {
        NestAllocator.lookAtBlocks()
        usleep(100)
      }
    }
    looker.start()
    for round in 0..<TestEffort.count(8, quick: 3) {
      let threads = (0..<3).map { index in
        let thread = Thread { work(slots, seed &+ UInt64(round * 3 + index), TestEffort.count(4000, quick: 2000)) }
        thread.start()
        return thread
      }
      while threads.contains(where: { !$0.isFinished }) { usleep(1000) }
      NestAllocator.checkInvariants()
    }
    looker.cancel()
    while !looker.isFinished { usleep(1000) }
    for index in 0..<400 { if let block = slots.swap(index, nil) { release(block, true) } }
    NestAllocator.checkInvariants()
  }
}

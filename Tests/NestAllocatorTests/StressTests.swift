// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import KitSupport
import NestAllocator
import Synchronization
import TestEffort
import XCTest

/// Threads fill blocks with patterns, hand them to each other, and check them when they release them.
final class StressTests: XCTestCase {
  /// Places where a thread leaves a block for another.
  final class Exchange: Sendable {
    let slots: [Locked<PatternedBlock?>]

    init(count: Int) { slots = (0..<count).map { _ in Locked(nil) } }

    func swap(_ index: Int, _ block: PatternedBlock?) -> PatternedBlock? {
      slots[index].withLock { old in
        defer { old = block }
        return old
      }
    }

    func releaseAll() {
      for slot in slots.indices { swap(slot, nil)?.release() }
    }
  }

  static func work(_ exchange: Exchange, seed: UInt64, operations: Int, largestAlign: Int = 1 << 16) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<operations {
      let align =
        Int.random(in: 0..<8, using: &random) == 0
        ? 1 << Int.random(in: 0...largestAlign.trailingZeroBitCount, using: &random) : 16
      guard
        var block = PatternedBlock(
          size: random.size(), align: align, zeroed: Int.random(in: 0..<8, using: &random) == 0)
      else { preconditionFailure("out of memory") }
      if Int.random(in: 0..<8, using: &random) == 0 { block.resize(to: random.size()) }
      exchange.swap(Int.random(in: exchange.slots.indices, using: &random), block)?.release()
    }
  }

  static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { index in JoinedThread { body(index) } }
    for thread in threads { thread.join() }
  }

  func testThreadsThatHandBlocksToEachOther() {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    let exchange = Exchange(count: 500)
    Self.onThreads(4) {
      Self.work(exchange, seed: seed &+ UInt64($0), operations: TestEffort.count(20_000, quick: 2_500))
    }
    NestAllocator.checkInvariants()
    exchange.releaseAll()
    NestAllocator.checkInvariants()
  }

  func testThreadsThatComeAndGo() {
    let exchange = Exchange(count: 500)
    for round in 0..<40 {
      Self.onThreads(3) { Self.work(exchange, seed: UInt64(round * 3 + $0), operations: 300) }
    }
    exchange.releaseAll()
    NestAllocator.checkInvariants()
  }

  /// What one thread allocates and another releases is used again: the memory does not grow with the number of blocks.
  func testBlocksReleasedElsewhereComeHome() {
    let exchange = Exchange(count: 64)
    let finished = Atomic(false)
    let chunksBefore = NestAllocator.chunkCount
    Self.onThreads(2) { index in
      var random = SplitMix64(seed: UInt64(index))
      if index == 0 {
        // 50 MB in all, of which at most 64 blocks wait.
        for _ in 0..<TestEffort.count(100_000, quick: 40_000) {
          var block = PatternedBlock(size: 500)
          while let waiting = block {
            block = exchange.swap(Int.random(in: 0..<64, using: &random), waiting)
            if block != nil { sched_yield() }
          }
        }
        finished.store(true, ordering: .releasing)
      } else {
        while !finished.load(ordering: .acquiring) {
          // Where nothing waits, the other thread's turn is worth more than another look, above all on a busy machine.
          guard let block = exchange.swap(Int.random(in: 0..<64, using: &random), nil) else {
            sched_yield()
            continue
          }
          block.release()
        }
      }
    }
    exchange.releaseAll()
    XCTAssertLessThan(NestAllocator.chunkCount - chunksBefore, 4)
    NestAllocator.checkInvariants()
  }

  /// A thread that has ended leaves its memory to others.
  func testMemoryOfEndedThreadsIsAdopted() {
    let chunksBefore = NestAllocator.chunkCount
    let kept = Locked<[PatternedBlock]>([])
    for _ in 0..<TestEffort.count(60, quick: 15) {
      Self.onThreads(1) { _ in
        // 2 MB, of which one block stays.
        let blocks = (0..<4000).map { _ in PatternedBlock(size: 500).unsafelyUnwrapped }
        for block in blocks.dropFirst() { block.release() }
        kept.withLock { $0.append(blocks[0]) }
      }
    }
    XCTAssertLessThan(NestAllocator.chunkCount - chunksBefore, 4)
    kept.withLock { $0.forEach { $0.release() } }
    NestAllocator.checkInvariants()
  }
}

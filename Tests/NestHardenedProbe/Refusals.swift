// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport
import CNestTestSupport
import Foundation
import KitSupport
import NestAllocator
import TestEffort

/// The system refuses to protect pages, or to make them usable again: contents stay whole, and nothing is lost.
enum Refusals<Allocator: MallocABI & MemoryReleasing & SendableMetatype> {
  private typealias Block = Stress<Allocator>.Block

  private static func makeBlock(_ random: inout SplitMix64) -> Block {
    let size = Int.random(in: 0..<4, using: &random) == 0 ? 1_100_000...5_000_000 : 66_000...900_000
    let byteCount = Int.random(in: size, using: &random)
    guard let pointer = Allocator.allocate(size: byteCount, align: 16) else { fatalError("memory is exhausted") }
    let block = Block(pointer: pointer, size: byteCount, align: 16, seed: random.next())
    fill_pattern(pointer, byteCount, block.seed)
    return block
  }

  private static func resize(_ block: inout Block, _ random: inout SplitMix64) {
    let size = block.size * Int.random(in: 4...25, using: &random) / 10
    guard let moved = Allocator.reallocate(block.pointer, oldSize: block.size, size: size, align: 16) else {
      fatalError("memory is exhausted")
    }
    block.pointer = moved
    block.check(min(block.size, size), "resized to \(size)")
    block.size = size
    fill_pattern(moved, size, block.seed)
  }

  /// Small blocks in so many spans that some have guards, and large ones.
  private static func exercise(_ random: inout SplitMix64) {
    let small = Separation<Allocator>.blocks(500, bytes: 8 << 20)
    var blocks: [Block] = []
    for _ in 0..<TestEffort.count(100, quick: 40) {
      blocks.append(makeBlock(&random))
      if blocks.count > 10 {
        let block = blocks.remove(at: Int.random(in: blocks.indices, using: &random))
        Stress<Allocator>.release(block, Bool.random(using: &random))
      }
      resize(&blocks[Int.random(in: blocks.indices, using: &random)], &random)
    }
    for block in blocks { Stress<Allocator>.release(block, true) }
    Separation<Allocator>.release(small)
  }

  /// Nothing can be mapped, so that all that is kept is given up.
  private static func exhaust() {
    nest_fail_calls(UInt32(NEST_MAP | NEST_PROTECT), 0, .max)
    if let block = Allocator.allocate(size: 3 << 20, align: 16) { Allocator.deallocate(block) }
  }

  private static var addressSpace: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.split(separator: " ").first ?? "") ?? 0) << 12
  }

  static func run() {
    var random = SplitMix64(seed: 11)
    for _ in 0..<3 { exercise(&random) }
    Allocator.releaseFreeMemory()
    let before = addressSpace
    var (refusals, most) = (0, 0)
    for count in [1, Int.max] {
      for nth in TestEffort.choice([0, 1, 2, 3, 5, 10, 20, 40, 70, 100], quick: [0, 10, 40]) {
        nest_fail_calls(UInt32(NEST_PROTECT), nth, count)
        exercise(&random)
        refusals += nest_failed_calls()
        most = max(most, NestAllocator.untouchableRunCount)
        exhaust()
        most = max(most, NestAllocator.untouchableRunCount)
        nest_fail_calls(0, 0, 0)
        NestAllocator.checkInvariants()
      }
    }
    exercise(&random)
    if nest_has_helper() != 0 {
      // It tries again by itself.
      let deadline = Date() + 60
      while NestAllocator.untouchableRunCount > 0, Date() < deadline { usleep(20_000) }
      if NestAllocator.untouchableRunCount > 0 { fatalError("\(NestAllocator.untouchableRunCount) runs wait still") }
    }
    Allocator.releaseFreeMemory()
    NestAllocator.checkInvariants()
    let more = addressSpace - before
    print("\(refusals) refusals, \(most) runs waited, \(more) bytes more of address space")
    if refusals == 0 || most == 0 || NestAllocator.untouchableRunCount != 0 || more > 12 << 20 { exit(1) }
  }
}

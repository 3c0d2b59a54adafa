// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CNestSupport
import CNestTestSupport
import Foundation
import KitSupport
import NestAllocator
import TestEffort

/// Addresses of one class of blocks, which are no other's.
enum Separation<Allocator: MallocABI & MemoryReleasing & SendableMetatype> {
  static func blocks(_ size: Int, bytes: Int) -> [UnsafeMutableRawPointer] {
    (0..<max(bytes / size, 1)).map { _ in
      guard let block = Allocator.allocate(size: size, align: 16) else { fatalError("memory is exhausted") }
      memset(block, 1, size)
      return block
    }
  }

  /// The pages in which blocks lie.
  private static func pages(_ blocks: [UnsafeMutableRawPointer], _ size: Int) -> Set<UInt> {
    Set(
      blocks.flatMap { block in
        (UInt(bitPattern: block) >> 12)...(UInt(bitPattern: block) + UInt(size) - 1) >> 12
      })
  }

  static func release(_ blocks: [UnsafeMutableRawPointer]) {
    for block in blocks { Allocator.deallocate(block) }
  }

  /// Whether blocks of other classes, or large ones, come to lie where blocks of one class were, or blocks of that class where others
  /// were: also where all memory has gone back to the system in between.
  static func isBroken(_ size: Int) -> Bool {
    let bytes = 4 << 20
    // Of the smallest, that is most blocks.
    let others = TestEffort.choice([20, 130], quick: []) + [500, 1500, 3500, 7000, 14_000, 40_000, 100_000, 700_000]
    var released: [Int: Set<UInt>] = [:]
    for round in 0..<3 {
      for one in [size] + others {
        let blocks = blocks(one, bytes: bytes)
        let own = pages(blocks, one)
        // Large ones are large ones.
        let key = one > 65_000 ? 100_000 : one
        for (other, pages) in released where other != key {
          if !pages.isDisjoint(with: own) { return true }
        }
        released[key, default: []].formUnion(own)
        release(blocks)
        if round == 1 { Allocator.releaseFreeMemory() }
      }
    }
    NestAllocator.checkInvariants()
    // They are used again.
    for one in [size] + others {
      let mostPages = one > 65_000 ? 8 * bytes : 3 * bytes
      if released[one > 65_000 ? 100_000 : one, default: []].count > mostPages >> 12 {
        fatalError("\(one): nothing is used again")
      }
    }
    return false
  }

  /// With little address space, a program has blocks of one class first, and then of another one, and then large ones.
  static func exhaust() {
    release(blocks(100, bytes: 1 << 20))
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let bytes = (Int(text.split(separator: " ").first ?? "") ?? 0) << 12
    var limit = rlimit(rlim_cur: rlim_t(bytes + (100 << 20)), rlim_max: rlim_t(bytes + (100 << 20)))
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    let sizes = [1000, 5000, 20_000, 100_000, 300_000]
    for size in TestEffort.choice([100] + sizes + [100], quick: sizes + [1000]) {
      let blocks = blocks(size, bytes: 60 << 20)
      release(blocks)
    }
    NestAllocator.checkInvariants()
  }

  /// What is given up when memory is exhausted goes back by itself, as anything that is free does.
  static func giveUp() {
    let blocks = blocks(1000, bytes: 40 << 20)
    // So that chunks are not given back whole.
    release(blocks.enumerated().filter { $0.offset % 2000 != 0 }.map(\.element))
    nest_fail_calls(UInt32(NEST_MAP), 0, .max)
    let large = Allocator.allocate(size: 30 << 20, align: 16)
    nest_fail_calls(0, 0, 0)
    if large != nil || nest_has_helper() == 0 { exit(1) }
    let deadline = Date() + 60
    while NestAllocator.dirtyByteCount > 1 << 20 {
      if Date() > deadline { fatalError("\(NestAllocator.dirtyByteCount) bytes do not go back") }
      usleep(20_000)
    }
    NestAllocator.checkInvariants()
  }

  /// With pages of `pageSize` bytes, of which the system takes no part back, all that is free goes back but what shares one with others.
  static func release(pageSize: Int) {
    nest_set_page_size(pageSize)
    for size in TestEffort.choice([100, 700, 3000, 7000], quick: [700, 7000]) {
      let blocks = blocks(size, bytes: 16 << 20)
      // These keep their pages.
      let kept = blocks.enumerated().filter { $0.offset % 5000 == 0 }.map(\.element)
      release(blocks.enumerated().filter { $0.offset % 5000 != 0 }.map(\.element))
      Allocator.releaseFreeMemory()
      NestAllocator.checkInvariants()
      print("\(size): \(NestAllocator.dirtyByteCount) bytes are left")
      if NestAllocator.dirtyByteCount > 1 << 20 { exit(1) }
      release(kept)
    }
  }
}

/// Of hardened Nest.
enum SeparationAndFork {
  private typealias Own = Separation<NestHardened>
  nonisolated(unsafe) private static var kept: [UnsafeMutableRawPointer] = []

  private static func work(_ index: Int) {
    var random = SplitMix64(seed: UInt64(index))
    while !Thread.current.isCancelled {
      Own.release(Own.blocks(Int.random(in: 1...30_000, using: &random), bytes: 300_000))
    }
  }

  /// Everything that a child does, which may have something to mend.
  private static func goOn() {
    NestAllocator.checkInvariants()
    Own.release(kept)
    let bytes = TestEffort.count(1 << 18, quick: 1 << 15)
    for size in [10, 100, 1000, 10_000, 100_000] { Own.release(Own.blocks(size, bytes: bytes)) }
    NestHardened.releaseFreeMemory()
    NestAllocator.checkInvariants()
    _exit(NestAllocator.mendedLockCount > 0 ? 7 : 0)
  }

  /// The status of a child that goes on.
  private static func fork() -> Int32 {
    var output = [CChar](repeating: 0, count: 300)
    let status = run_in_child({ SeparationAndFork.goOn() }, &output, output.count, 60)
    if status != 0, status != 7 {
      print(status, output.prefix { $0 != 0 }.map { Character(Unicode.Scalar(UInt8($0))) })
    }
    return status
  }

  /// Forks while other threads take and release spans of all classes: the child goes on, whatever was on its way.
  static func run() {
    let threads = (0..<3).map { index in Thread { work(index) } }
    threads.forEach { $0.start() }
    kept = [50, 500, 5000, 50_000].flatMap { Own.blocks($0, bytes: 100_000) }
    var mended = 0
    // At least until some have had something to mend.
    for round in 0..<400 where round < TestEffort.count(30, quick: 6) || mended < 2 {
      let status = fork()
      if status != 0, status != 7 { exit(1) }
      if status == 7 { mended += 1 }
    }
    for thread in threads { thread.cancel() }
    while threads.contains(where: { !$0.isFinished }) { usleep(1000) }
    Own.release(kept)
    NestAllocator.checkInvariants()
    print("\(mended) children mended something")
  }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import CNestTestSupport
import KitSupport
import NestAllocator
import TestEffort
import XCTest

/// The walk over live blocks, against what is known to be live. Each test has a process of its own, in which nobody else has a block.
final class BlockWalkTests: XCTestCase {
  /// A block by its address.
  typealias Met = [UInt: allocator_block]

  /// Blocks that other tests have left.
  nonisolated(unsafe) private static var left: Set<UInt> = []

  /// All blocks that a walk meets, but for those. Dies where it meets one twice.
  static func walk(capacity: Int = 512) -> Met {
    var walk = allocator_walk()
    var met: Met = [:]
    let blocks = UnsafeMutablePointer<allocator_block>.allocate(capacity: capacity)
    defer { blocks.deallocate() }
    while true {
      let count = NestAllocator.readLiveBlocks(&walk, into: blocks, capacity: capacity)
      precondition(count >= 0 && count <= capacity)
      if count == 0 { break }
      for index in 0..<count {
        let block = blocks[index]
        if left.contains(block.address) { continue }
        if met.updateValue(block, forKey: block.address) != nil { die("\(block) was met twice") }
      }
    }
    // It stays at its end.
    precondition(NestAllocator.readLiveBlocks(&walk, into: blocks, capacity: capacity) == 0)
    return met
  }

  static func die(_ message: String) -> Never {
    let line = "\(message)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(1)
  }

  override func setUp() {
    Self.left = []
    Self.left = Set(Self.walk().keys)
  }

  private func inAProcess(_ body: @convention(c) () -> Void, line: UInt = #line) {
    let (status, text) = MisuseTests.report(body)
    XCTAssertEqual(status, 0, text, line: line)
  }

  /// Writes what the walk is to find.
  private static func mark(_ block: UnsafeMutableRawPointer, _ number: Int) {
    let words = block.assumingMemoryBound(to: UInt.self)
    words[0] = 0x6d61_726b
    words[1] = UInt(number)
  }

  private static func check(_ met: Met, against live: [UnsafeMutableRawPointer]) {
    if met.count != live.count { die("\(met.count) blocks were met, and \(live.count) are live") }
    for (number, block) in live.enumerated() {
      guard let found = met[UInt(bitPattern: block)] else { die("\(block) was not met") }
      if found.size != NestAllocator.usableSize(of: block) { die("\(found) has another size") }
      // A block of a class is one of at most 64 KiB that is aligned to a page at most.
      if found.word_count == 0 {
        if found.size <= 64 << 10, found.address % 8192 != 0 { die("\(found) has no words") }
      } else if found.word_count != (found.size > 16 ? 3 : 2) || found.words.0 != 0x6d61_726b
        || found.words.1 != UInt(number)
      {
        die("\(found) has other words")
      }
    }
  }

  /// Blocks of all kinds, in all places: bins, spans of which pages are purged, large and huge ones, with alignments.
  func testEveryLiveBlockIsMetOnce() {
    inAProcess {
      var random = SplitMix64(seed: 1)
      var live: [UnsafeMutableRawPointer] = []
      BlockWalkTests.check(BlockWalkTests.walk(), against: live)
      for round in 0..<TestEffort.count(12, quick: 6) {
        for _ in 0..<3_000 {
          let align = random.next() % 50 == 0 ? 1 << Int(random.next() % 23) : 16
          live.append(NestAllocator.allocate(size: random.size(), align: align).unsafelyUnwrapped)
        }
        live.shuffle(using: &random)
        let kept = live.prefix(round % 3 == 2 ? 100 : 2_000)
        for block in live.dropFirst(kept.count) { NestAllocator.deallocate(block) }
        live = Array(kept)
        for (number, block) in live.enumerated() { BlockWalkTests.mark(block, number) }
        BlockWalkTests.check(BlockWalkTests.walk(), against: live)
        NestAllocator.releaseFreeMemory()
        for capacity in [1, 3, 100, 5_000] {
          BlockWalkTests.check(BlockWalkTests.walk(capacity: capacity), against: live)
        }
        // Those of pages that are taken into use again, and of their neighbours that are not.
        for _ in 0..<200 { live.append(NestAllocator.allocate(size: 1 + Int(random.next() % 3_000), align: 16)!) }
        for (number, block) in live.enumerated() { BlockWalkTests.mark(block, number) }
        BlockWalkTests.check(BlockWalkTests.walk(), against: live)
        NestAllocator.checkInvariants()
      }
      live.forEach { NestAllocator.deallocate($0) }
      BlockWalkTests.check(BlockWalkTests.walk(), against: [])
    }
  }

  /// Blocks across the border of a purged page: they begin in one that is not.
  func testBlocksThatOverlapPurgedPages() {
    inAProcess {
      var random = SplitMix64(seed: 2)
      for size in [640, 1_280, 1_536, 2_560, 3_072, 5_120, 7_168] {
        let blocks = (0..<2_000).map { _ in NestAllocator.allocate(size: size, align: 16).unsafelyUnwrapped }
        let kept = blocks.filter { _ in random.next() % 8 == 0 }
        for block in Set(blocks).subtracting(kept) { NestAllocator.deallocate(block) }
        NestAllocator.releaseFreeMemory()
        // One page after the other is taken into use again.
        var live = kept
        for _ in 0..<300 {
          live.append(NestAllocator.allocate(size: size, align: 16).unsafelyUnwrapped)
          if live.count % 10 == 0 {
            for (number, block) in live.enumerated() { BlockWalkTests.mark(block, number) }
            BlockWalkTests.check(BlockWalkTests.walk(), against: live)
          }
        }
        live.forEach { NestAllocator.deallocate($0) }
      }
    }
  }

  /// In each flavour: what was asked for of large blocks, and blocks in quarantine, which nobody has.
  func testHardenedBlocks() {
    inAProcess {
      typealias Hardened = Nest<HardenedChecks>
      var live: [UnsafeMutableRawPointer: Int] = [:]
      for round in 0..<400 {
        for size in [20, 300, 7_000, 60_000, 100_000 + round, (2 << 20) + round] {
          let block = Hardened.allocate(size: size, align: 16).unsafelyUnwrapped
          if round % 4 == 0 { live[block] = size } else { Hardened.deallocate(block) }
        }
      }
      let met = BlockWalkTests.walk()
      if Set(met.keys) != Set(live.keys.map { UInt(bitPattern: $0) }) {
        BlockWalkTests.die("\(met.count) blocks were met, and \(live.count) are live")
      }
      for (block, size) in live where size > 64 << 10 {
        // In whole pages where it is a mapping.
        let found = met[UInt(bitPattern: block)].unsafelyUnwrapped.size
        if size < 1 << 20 ? found != size : found != (size + 4095) & ~4095 {
          BlockWalkTests.die("\(found) bytes of \(size)")
        }
      }
      live.keys.forEach { Hardened.deallocate($0) }
      if !BlockWalkTests.walk().isEmpty { BlockWalkTests.die("something is live") }
    }
  }

  /// What is live all the time is met in each of many walks, while eight threads allocate, release what others have allocated, and resize, and
  /// memory is given back in a loop. What is met has words that a live block has: not those of a free one, and not the zeros of a page
  /// that was given back.
  func testThreadsThatGoOn() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "the Thread Sanitizer forbids threads in a child of fork")
    inAProcess { BlockWalkTests.walkAmongThreads(walks: TestEffort.count(30, quick: 3)) }
  }

  /// The same in this process, for the Thread Sanitizer.
  func testThreadsThatGoOnHere() {
    BlockWalkTests.walkAmongThreads(walks: TestEffort.isFull || is_thread_sanitized() != 0 ? 10 : 1)
  }

  static func walkAmongThreads(walks: Int) {
    var random = SplitMix64(seed: 3)
    let kept = (0..<20_000).map { _ in NestAllocator.allocate(size: random.size() / 4, align: 16).unsafelyUnwrapped }
    for (number, block) in kept.enumerated() { mark(block, number) }
    let isDone = Locked(false)
    let exchange = Locked<[UnsafeMutableRawPointer]>([])
    let threads = (0..<8).map { number in
      JoinedThread {
        var random = SplitMix64(seed: UInt64(100 + number))
        while !isDone.withLock({ $0 }) {
          var own: [UnsafeMutableRawPointer] = []
          for _ in 0..<500 {
            let block = NestAllocator.allocate(size: random.size() / 2, align: 16).unsafelyUnwrapped
            let words = block.assumingMemoryBound(to: UInt.self)
            (words[0], words[1]) = (0x776f_726b, 0x776f_726b)
            own.append(block)
          }
          // Half of them are released by whichever thread is next.
          let others = exchange.withLock { blocks in
            defer { blocks = Array(own.prefix(250)) }
            return blocks
          }
          for block in others { NestAllocator.deallocate(block) }
          for block in own.dropFirst(250) {
            if random.next() % 4 == 0, let moved = NestAllocator.reallocate(block, size: 100) {
              NestAllocator.deallocate(moved)
            } else {
              NestAllocator.deallocate(block)
            }
          }
        }
      }
    }
    let trimmer = JoinedThread {
      while !isDone.withLock({ $0 }) { NestAllocator.releaseFreeMemory() }
    }
    for _ in 0..<walks {
      let met = walk()
      for (number, block) in kept.enumerated() {
        guard let found = met[UInt(bitPattern: block)] else { die("\(block) was not met") }
        if found.word_count > 0, found.words.1 != UInt(number) { die("\(found) is not \(number)") }
      }
      for block in met.values where block.word_count > 0 && block.words.0 != 0x6d61_726b {
        // Taken, and not written yet: a link, and a second word that was cleared.
        let isWritten = block.words.1 == 0x776f_726b
        if !isWritten, block.words.1 != 0 || block.words.0 == 0 { die("\(block) is not live") }
      }
    }
    isDone.withLock { $0 = true }
    threads.forEach { $0.join() }
    trimmer.join()
    exchange.withLock { $0.forEach { NestAllocator.deallocate($0) } }
    kept.forEach { NestAllocator.deallocate($0) }
    NestAllocator.checkInvariants()
  }

  /// A walk that is given up keeps nothing, and one that goes on over what is gone by then ends.
  func testAWalkThatIsGivenUp() {
    inAProcess {
      let blocks = (0..<60).map { _ in NestAllocator.allocate(size: 500 << 10, align: 16).unsafelyUnwrapped }
      let huge = NestAllocator.allocate(size: 5 << 20, align: 16).unsafelyUnwrapped
      var walk = allocator_walk()
      var block = allocator_block()
      for _ in 0..<30 { precondition(NestAllocator.readLiveBlocks(&walk, into: &block, capacity: 1) == 1) }
      let chunks = NestAllocator.chunkCount
      blocks.forEach { NestAllocator.deallocate($0) }
      NestAllocator.deallocate(huge)
      NestAllocator.releaseFreeMemory()
      if NestAllocator.chunkCount >= chunks { BlockWalkTests.die("chunks stay") }
      if NestAllocator.readLiveBlocks(&walk, into: &block, capacity: 1) != 0 { BlockWalkTests.die("something is met") }
      if NestAllocator.readLiveBlocks(&walk, into: &block, capacity: 0) != 0 {
        BlockWalkTests.die("no room, and a block")
      }
    }
  }

  /// In a child of fork that another thread's walk was under way in: chunks can go.
  func testForkAmidAWalk() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "the Thread Sanitizer forbids threads in a child of fork")
    inAProcess {
      let blocks = (0..<5_000).map { NestAllocator.allocate(size: $0 % 600, align: 16).unsafelyUnwrapped }
      let isDone = Locked(false)
      // The first walk has Swift's runtime make metadata under a lock of its own, which a child would never get.
      _ = BlockWalkTests.walk()
      let walker = JoinedThread { while !isDone.withLock({ $0 }) { _ = BlockWalkTests.walk(capacity: 64) } }
      for _ in 0..<TestEffort.count(20, quick: 6) {
        let (status, text) = MisuseTests.report {
          if BlockWalkTests.walk().count < 5_000 { exit(2) }
          let more = (0..<40).map { _ in NestAllocator.allocate(size: 900 << 10, align: 16).unsafelyUnwrapped }
          let chunks = NestAllocator.chunkCount
          more.forEach { NestAllocator.deallocate($0) }
          NestAllocator.releaseFreeMemory()
          if NestAllocator.chunkCount >= chunks { exit(3) }
          NestAllocator.checkInvariants()
        }
        if status != 0 { BlockWalkTests.die("\(status) \(text)") }
      }
      isDone.withLock { $0 = true }
      walker.join()
      blocks.forEach { NestAllocator.deallocate($0) }
    }
  }
}

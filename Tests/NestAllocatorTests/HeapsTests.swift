// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import Foundation
import NestAllocator
import TestEffort
import XCTest

/// What all threads share: spans that anyone can trim, pages inside of them, and what caches may keep. Each test has a process
/// of its own, since it counts what is left.
final class HeapsTests: XCTestCase {
  nonisolated(unsafe) static var kept: [PatternedBlock] = []

  private func inAProcess(_ body: @convention(c) () -> Void, line: UInt = #line) {
    let (status, text) = MisuseTests.report(body)
    XCTAssertEqual(status, 0, text, line: line)
  }

  /// Blocks of 1 KiB, two pages to a span of eight. Every page but the last of each fourth span is without a block in the end.
  static func blocks(_ count: Int) -> [PatternedBlock] {
    (0..<count).map { _ in PatternedBlock(size: 1024).unsafelyUnwrapped }
  }

  static func activeBytes() -> Int { NestAllocator.statistics.activeBytes.unsafelyUnwrapped }

  static func releaseMost(_ blocks: [PatternedBlock]) -> [PatternedBlock] {
    var kept: [PatternedBlock] = []
    for (index, block) in blocks.enumerated() {
      if index % 16 == 0 { kept.append(block) } else { block.release() }
    }
    return kept
  }

  func testPagesInsideOfSpansGoBack() {
    inAProcess {
      NestAllocator.releaseFreeMemory()
      let start = HeapsTests.activeBytes()
      let kept = HeapsTests.releaseMost(HeapsTests.blocks(16_000))
      NestAllocator.releaseCaches()
      let before = HeapsTests.activeBytes() - start
      NestAllocator.releaseFreeMemory()
      NestAllocator.checkInvariants()
      let after = HeapsTests.activeBytes() - start
      // Half of the spans are empty and gone already; of the others one page in two is.
      if after > before * 6 / 10 { exit(2) }
      // Not all of them: the first blocks come from wherever tests before this one have left some.
      if after < kept.count * 4096 * 9 / 10 { exit(3) }
      // The pages come back as they are wanted, and what was kept is whole.
      let more = HeapsTests.blocks(16_000)
      NestAllocator.checkInvariants()
      (kept + more).forEach { $0.release() }
      NestAllocator.releaseFreeMemory()
      NestAllocator.checkInvariants()
      exit(0)
    }
  }

  /// Behind the last block of a span may be bytes of none: twelve blocks of 640 bytes leave 512 of two pages. One block in 24 is
  /// kept, in all places of a span one after the other.
  func testLastPagesOfSpansGoBack() {
    inAProcess {
      NestAllocator.releaseFreeMemory()
      let before = HeapsTests.activeBytes()
      var kept: [PatternedBlock] = []
      let blocks = (0..<24_000).map { _ in PatternedBlock(size: 640).unsafelyUnwrapped }
      for (index, block) in blocks.enumerated() {
        if index % 24 == index / 2000 { kept.append(block) } else { block.release() }
      }
      NestAllocator.releaseFreeMemory()
      NestAllocator.checkInvariants()
      let pages = (HeapsTests.activeBytes() - before) / 4096
      // A page for each, and two where the block lies across their border.
      if pages < kept.count * 9 / 10 { exit(2) }
      if pages > kept.count * 5 / 4 { exit(3) }
      kept.forEach { $0.release() }
      exit(0)
    }
  }

  /// What is kept of each 16 blocks, which of them is used although it is free, and how.
  nonisolated(unsafe) static var misuse = (kept: 0, used: 0, how: 0)

  /// A block that is free stays one that is found in a page that has gone back, too, and reads as zeros, be it the first page of
  /// its span or the second: of the blocks four before and four behind one that is kept, one is in its span.
  func testUseOfABlockInAPurgedPage() {
    let messages = [
      "free of a block that is free already", "realloc of a pointer that is no block",
      "malloc_usable_size of a pointer that is no block",
    ]
    let places = [(4, 0), (4, 8), (8, 4), (8, 12)]
    for (how, message) in messages.enumerated() {
      for (kept, used) in how == 0 ? places : TestEffort.choice(places, quick: [places[how]]) {
        HeapsTests.misuse = (kept, used, how)
        let (status, text) = MisuseTests.report {
          let misuse = HeapsTests.misuse
          let blocks = HeapsTests.blocks(16_000)
          let pointers = blocks.map(\.pointer)
          for (index, block) in blocks.enumerated() where index % 16 != misuse.kept { block.release() }
          NestAllocator.releaseFreeMemory()
          for (index, pointer) in pointers.enumerated() where index % 16 == misuse.used {
            // Beside what is kept there is memory, whatever else has been unmapped.
            guard abs(pointers[index - misuse.used + misuse.kept] - pointer) == 4096 else { continue }
            if pointer.load(as: Int.self) == 0, pointer.load(fromByteOffset: 512, as: Int.self) == 0 {
              switch misuse.how {
              case 0: NestAllocator.deallocate(pointer)
              case 1: _ = NestAllocator.reallocate(pointer, size: 2000)
              default: _ = NestAllocator.usableSize(of: pointer)
              }
              exit(2)
            }
          }
          exit(3)
        }
        XCTAssertEqual(status, -SIGABRT, "(2: not found, 3: nothing is purged) \(text)")
        XCTAssert(text.hasPrefix("nest: \(message)"), text)
      }
    }
  }

  /// The flags of the mapping in which `pointer` is, as smaps(5) has them: "nh" for no huge pages, "hg" for huge ones.
  static func mappingFlags(of pointer: UnsafeMutableRawPointer) -> [Substring] {
    // Not String(contentsOfFile:), which takes the kernel's first short answer for all.
    let data = FileHandle(forReadingAtPath: "/proc/self/smaps")?.readDataToEndOfFile() ?? Data()
    var isInside = false
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
      if bounds.count == 2 { isInside = (bounds[0]..<bounds[1]).contains(UInt(bitPattern: pointer)) }
      if isInside, line.hasPrefix("VmFlags:") { return line.split(separator: " ") }
    }
    return []
  }

  /// Where the system makes huge pages of all memory, it would make one of what is left around pages that have gone back.
  func testPagesThatWentBackStayAway() throws {
    try XCTSkipUnless(
      FileManager.default.fileExists(atPath: "/sys/kernel/mm/transparent_hugepage"), "skipped: no huge pages here")
    inAProcess {
      // What earlier tests have left may not go back meanwhile.
      NestAllocator.releaseFreeMemory()
      NestAllocator.assumeHugePages()
      let blocks = HeapsTests.blocks(16_000)
      // Not in the first chunk, whose beginning never has huge pages, nor in one that is full of what earlier tests have left. Before
      // anything is released: on a slow machine some of it may go back at once.
      func chunk(_ index: Int) -> UInt { UInt(bitPattern: blocks[index].pointer) >> 22 }
      let watched = stride(from: 1_000, to: blocks.count - 1_000, by: 500)
        .filter { chunk($0 - 1_000) == chunk($0) && chunk($0) == chunk($0 + 1_000) }.map { blocks[$0].pointer }
        .first { !HeapsTests.mappingFlags(of: $0).contains("nh") }
      guard let watched else { exit(2) }
      let kept = HeapsTests.releaseMost(blocks)
      NestAllocator.releaseFreeMemory()
      if !HeapsTests.mappingFlags(of: watched).contains("nh") { exit(3) }
      // Not as long as pages are missing.
      NestAllocator.lookAtSpans(times: NestAllocator.fullLooksForHugePages * 2)
      if !HeapsTests.mappingFlags(of: watched).contains("nh") { exit(4) }
      // When they are all in use again, and stay so, the chunk may have huge pages.
      let more = HeapsTests.blocks(32_000)
      NestAllocator.lookAtSpans(times: NestAllocator.fullLooksForHugePages - 1)
      if !HeapsTests.mappingFlags(of: watched).contains("nh") { exit(5) }
      NestAllocator.lookAtSpans(times: 1)
      if HeapsTests.mappingFlags(of: watched).contains("nh") || !HeapsTests.mappingFlags(of: watched).contains("hg") {
        exit(6)
      }
      NestAllocator.checkInvariants()
      (kept + more).forEach { $0.release() }
      exit(0)
    }
  }

  /// A signal handler that interrupted code which holds a heap's lock takes another heap. What it leaves there goes back as well.
  func testHeapThatASignalHandlerTookIsTrimmed() {
    inAProcess {
      NestAllocator.releaseFreeMemory()
      var kept: [PatternedBlock] = []
      NestAllocator.withHeapLocked { kept = HeapsTests.releaseMost(HeapsTests.blocks(4_000)) }
      kept.forEach { $0.release() }
      NestAllocator.releaseCaches()
      if NestAllocator.statistics.releasableBytes.unsafelyUnwrapped < 64 << 10 { exit(2) }
      NestAllocator.releaseFreeMemory()
      if NestAllocator.statistics.releasableBytes.unsafelyUnwrapped != 0 { exit(3) }
      exit(0)
    }
  }

  static let arrived = Locked(0)

  /// What threads have left that still live, and sleep, any other can trim.
  func testAnotherThreadTrims() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
    inAProcess {
      NestAllocator.releaseFreeMemory()
      let start = HeapsTests.activeBytes()
      StressTests.onThreads(2) { thread in
        let kept = HeapsTests.releaseMost(HeapsTests.blocks(8000))
        NestAllocator.releaseThreadCache()
        HeapsTests.arrived.withLock { $0 += 1 }
        while HeapsTests.arrived.withLock({ $0 < 2 }) { usleep(1000) }
        if thread == 0 {
          let before = HeapsTests.activeBytes() - start
          NestAllocator.releaseFreeMemory()
          if HeapsTests.activeBytes() - start > before * 6 / 10 { exit(2) }
          HeapsTests.arrived.withLock { $0 += 1 }
        }
        while HeapsTests.arrived.withLock({ $0 < 3 }) { usleep(1000) }
        kept.forEach { $0.release() }
      }
      exit(0)
    }
  }

  static let mostGrowth = Locked(0), awaited = Locked(0)

  /// The caches of many threads together grow no more than those of a few. Of so many that they are no crowd, in which none grows.
  func testGrowthOfAllCachesIsLimited() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
    inAProcess {
      let before = NestAllocator.cacheGrowth.bytes
      let count = 4 * sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 2
      HeapsTests.awaited.withLock { $0 = count }
      StressTests.onThreads(count) { _ in
        let sizes = [700, 1000, 1500, 2000, 2500]
        // Spans that stay: for new ones, a thread gives up bins that it has not used for a while.
        var kept: [UnsafeMutableRawPointer] = []
        for size in sizes {
          let blocks = (0..<800).map { _ in MisuseTests.block(size) }
          for (index, block) in blocks.enumerated() {
            if index % 8 == 0 { kept.append(block) } else { NestAllocator.deallocate(block) }
          }
        }
        // Of several sizes in turns, more at a time than a bin may hold.
        for _ in 0..<30 {
          var blocks: [UnsafeMutableRawPointer] = []
          for _ in 0..<200 { for size in sizes { blocks.append(MisuseTests.block(size)) } }
          blocks.forEach { NestAllocator.deallocate($0) }
        }
        // None ends, and gives back what it has, before all have what they want.
        let awaited = HeapsTests.awaited.withLock { $0 }
        HeapsTests.arrived.withLock { $0 += 1 }
        while HeapsTests.arrived.withLock({ $0 < awaited }) { usleep(1000) }
        let growth = NestAllocator.cacheGrowth
        // Those that grow at the same moment may go beyond it, by a bin's size each.
        if growth.bytes > growth.most + (64 << 10) { exit(2) }
        HeapsTests.mostGrowth.withLock { $0 = max($0, growth.bytes) }
        kept.forEach { NestAllocator.deallocate($0) }
      }
      // The limit was reached, or nearly.
      if HeapsTests.mostGrowth.withLock({ $0 }) < NestAllocator.cacheGrowth.most / 2 { exit(3) }
      // All of it comes back with the threads' ends.
      if NestAllocator.cacheGrowth.bytes - before > 0 { exit(4) }
      exit(0)
    }
  }

  /// What a thread has at hand and does not use goes back while it wants new spans for other sizes.
  func testUnusedBlocksGoBack() {
    inAProcess {
      func releaseMany(_ size: Int) {
        let blocks = (0..<60).map { _ in MisuseTests.block(size) }
        blocks.forEach { NestAllocator.deallocate($0) }
      }
      NestAllocator.releaseThreadCache()
      releaseMany(64)
      let unused = NestAllocator.cachedBlocks(size: 64)
      if unused.bin + unused.reserve == 0 { exit(2) }
      var kept: [UnsafeMutableRawPointer] = []
      for _ in 0..<400 { kept.append(MisuseTests.block(7000)) }
      let left = NestAllocator.cachedBlocks(size: 64)
      if left.bin + left.reserve != 0 { exit(3) }
      kept.forEach { NestAllocator.deallocate($0) }
      exit(0)
    }
  }

  /// More blocks than a thread keeps, allocated and released `times` times.
  static func cycle(_ size: Int, count: Int = 4000, times: Int = 4) {
    for _ in 0..<times {
      let blocks = (0..<count).map { _ in MisuseTests.block(size) }
      blocks.forEach { NestAllocator.deallocate($0) }
    }
  }

  /// What a thread has no room for is kept in lists, as long as it is wanted and no more than there is room for.
  func testListsAreKeptForTheNextThread() {
    inAProcess {
      HeapsTests.cycle(256)
      let kept = NestAllocator.transferableBlocks(size: 256)
      if kept == 0 { exit(2) }
      let live = NestAllocator.statistics.liveBlocks.unsafelyUnwrapped
      NestAllocator.checkInvariants()
      let blocks = (0..<4000).map { _ in MisuseTests.block(256) }
      if NestAllocator.transferableBlocks(size: 256) != 0 { exit(3) }
      blocks.forEach { NestAllocator.deallocate($0) }
      if NestAllocator.statistics.liveBlocks != live { exit(4) }
      // All of it in the end.
      NestAllocator.releaseFreeMemory()
      if NestAllocator.transferableBlocks(size: 256) != 0 { exit(5) }
      for size in [16, 48, 128, 256, 800, 2048] { HeapsTests.cycle(size, count: (1 << 19) / size, times: 3) }
      NestAllocator.checkInvariants()
      exit(0)
    }
  }

  /// They keep pages from other uses: so they go, one by one, where spans are made, and all that have been there for a while.
  func testListsGoBack() {
    inAProcess {
      HeapsTests.cycle(256)
      if NestAllocator.transferableBlocks(size: 256) == 0 { exit(2) }
      var blocks = (0..<400).map { _ in MisuseTests.block(5000) }
      if NestAllocator.transferableBlocks(size: 256) != 0 { exit(3) }
      HeapsTests.cycle(256)
      NestAllocator.lookAtLists()
      if NestAllocator.transferableBlocks(size: 256) == 0 { exit(4) }
      NestAllocator.lookAtLists()
      if NestAllocator.transferableBlocks(size: 256) != 0 { exit(5) }
      NestAllocator.checkInvariants()
      while let block = blocks.popLast() { NestAllocator.deallocate(block) }
      exit(0)
    }
  }

  /// A thread has a reserve behind each bin, but none among many.
  func testManyThreadsHaveNoReserves() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
    inAProcess {
      @Sendable func releaseMany() -> (bin: Int, reserve: Int) {
        let blocks = (0..<200).map { _ in MisuseTests.block(128) }
        blocks.forEach { NestAllocator.deallocate($0) }
        return NestAllocator.cachedBlocks(size: 128)
      }
      if releaseMany().reserve == 0 { exit(2) }
      @Sendable func waitForAll(_ count: Int) {
        HeapsTests.arrived.withLock { $0 += 1 }
        while HeapsTests.arrived.withLock({ $0 < count }) { usleep(1000) }
      }
      let threads = NestAllocator.mostThreadsWithReserves + 1
      StressTests.onThreads(threads) { _ in
        _ = releaseMany()
        waitForAll(threads)
        let cached = releaseMany()
        if cached.bin == 0 { exit(3) }
        if cached.reserve != 0 { exit(4) }
        waitForAll(2 * threads)
      }
      exit(0)
    }
  }

  /// Nobody calls any more, and still the memory goes back.
  func testHelperGivesMemoryBack() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer does not know of such a thread")
    inAProcess {
      NestAllocator.allowHelper()
      let kept = Locked<[PatternedBlock]>([])
      StressTests.onThreads(2) { _ in
        let mine = HeapsTests.releaseMost(HeapsTests.blocks(20_000))
        kept.withLock { $0 += mine }
      }
      if !NestAllocator.hasHelper { exit(2) }
      for _ in 0..<400 {
        usleep(25_000)
        let statistics = NestAllocator.statistics
        let others = statistics.residentBytes.unsafelyUnwrapped - statistics.metadataBytes.unsafelyUnwrapped
        // A page for each block that was kept, and little more.
        if others < (2500 * 4096) * 3 / 2 {
          NestAllocator.checkInvariants()
          kept.withLock { $0.forEach { $0.release() } }
          exit(0)
        }
      }
      exit(3)
    }
  }

  /// A child finds spans as another thread of its parent has left them, amid giving their pages back or taking them into use.
  func testForkWhileAnotherThreadPurges() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer forbids threads in a child of fork")
    inAProcess {
      // The runtime does lazily what it may not be amid at a fork.
      HeapsTests.releaseMost(HeapsTests.blocks(100)).forEach { $0.release() }
      NestAllocator.releaseFreeMemory()
      NestAllocator.checkInvariants()
      StressTests.onThreads(2) { thread in
        if thread == 0 {
          while HeapsTests.arrived.withLock({ $0 == 0 }) {
            let kept = HeapsTests.releaseMost(HeapsTests.blocks(500))
            NestAllocator.releaseFreeMemory()
            kept.forEach { $0.release() }
          }
        } else {
          for _ in 0..<TestEffort.count(300, quick: 8) {
            let (status, text) = MisuseTests.report {
              NestAllocator.checkInvariants()
              let kept = HeapsTests.releaseMost(HeapsTests.blocks(1000))
              NestAllocator.releaseFreeMemory()
              NestAllocator.checkInvariants()
              kept.forEach { $0.release() }
              exit(0)
            }
            if status != 0 {
              FileHandle.standardError.write(Data("\(status): \(text)".utf8))
              exit(2)
            }
          }
          HeapsTests.arrived.withLock { $0 = 1 }
        }
      }
      exit(0)
    }
  }

  /// A child has no helper until it has a second thread, and its heaps are whole.
  func testHelperAndFork() throws {
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer does not know of such a thread")
    inAProcess {
      NestAllocator.allowHelper()
      StressTests.onThreads(2) { _ in HeapsTests.blocks(100).forEach { $0.release() } }
      for _ in 0..<TestEffort.count(100, quick: 4) {
        HeapsTests.kept = HeapsTests.releaseMost(HeapsTests.blocks(2000))
        usleep(5000)
        let (status, text) = MisuseTests.report {
          if NestAllocator.hasHelper { exit(2) }
          NestAllocator.releaseFreeMemory()
          NestAllocator.checkInvariants()
          HeapsTests.kept.forEach { $0.release() }
          StressTests.onThreads(2) { _ in HeapsTests.blocks(100).forEach { $0.release() } }
          NestAllocator.checkInvariants()
          exit(NestAllocator.hasHelper ? 0 : 3)
        }
        if status != 0 {
          FileHandle.standardError.write(Data("\(status): \(text)".utf8))
          exit(4)
        }
        HeapsTests.kept.forEach { $0.release() }
      }
      exit(0)
    }
  }
}
